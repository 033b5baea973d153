package streaming_test

import (
	"context"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/window"
	"github.com/spillway-go/spillway/streaming"
)

// refused runs and wants an error that holds the texts.
func (w *world) refused(cfg streaming.Config, texts ...string) {
	w.Helper()
	err := streaming.Run(w.ctx, cfg)
	if err == nil {
		w.Fatalf("no error, want one with %q", texts)
	}
	for _, text := range texts {
		if !strings.Contains(err.Error(), text) {
			w.Errorf("error %q, want one with %q", err, text)
		}
	}
}

// ran is a world whose stream has read everything once.
func ran(t *testing.T) *world {
	t.Helper()
	plan, log := hostileLog(t, 4, 200)
	w := newWorld(t, plan, 2)
	w.send(w.messages(log))
	w.run(w.config())
	return w
}

func TestTopicIsMissing(t *testing.T) {
	plan, _ := hostileLog(t, 4, 10)
	w := newWorld(t, plan, 1)
	cfg := w.config()
	cfg.Topic = "paymnets"
	w.refused(cfg, `topic "paymnets"`, "does not exist", "create it, or correct its name")
}

func TestBrokerIsUnreachable(t *testing.T) {
	plan, _ := hostileLog(t, 4, 10)
	w := newWorld(t, plan, 1)
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	l.Close()
	cfg := w.config()
	cfg.Client = []kgo.Opt{kgo.SeedBrokers(l.Addr().String())}
	cfg.Patience = 100 * time.Millisecond
	w.refused(cfg, "Kafka", "does not answer for 100ms", "see whether the broker runs")
}

// TestBrokerGoesAway stops the broker under a stream that has nothing to do.
func TestBrokerGoesAway(t *testing.T) {
	w := ran(t)
	cfg := w.config()
	cfg.Patience = 300 * time.Millisecond
	m := w.join(cfg)
	w.until("it has its partitions", func() bool { _, n := m.read(); return n == 2 })
	w.cluster.Close()
	select {
	case err := <-m.done:
		if err == nil || !strings.Contains(err.Error(), "does not answer") {
			t.Errorf("error %v, want one that says so", err)
		}
	case <-w.ctx.Done():
		t.Error("it did not notice")
	}
}

func TestPartitionsGrew(t *testing.T) {
	w := ran(t)
	if _, err := w.admin().CreatePartitions(w.ctx, 1, w.plan.Source.Name); err != nil {
		t.Fatal(err)
	}
	if _, err := w.admin().CreatePartitions(w.ctx, 1, streaming.FeaturesTopic(w.plan.Name), streaming.DeadTopic(w.plan.Name)); err != nil {
		t.Fatal(err)
	}
	w.refused(w.config(), "the source had 2 partitions, and now has 3")
}

func TestPartitionsGrowWhileItRuns(t *testing.T) {
	w := ran(t)
	cfg := w.config()
	cfg.Client = append(cfg.Client, kgo.MetadataMinAge(10*time.Millisecond), kgo.MetadataMaxAge(50*time.Millisecond))
	m := w.join(cfg)
	w.until("it has its partitions", func() bool { _, n := m.read(); return n == 2 })
	if _, err := w.admin().CreatePartitions(w.ctx, 1, w.plan.Source.Name); err != nil {
		t.Fatal(err)
	}
	var err error
	select {
	case err = <-m.done:
	case <-w.ctx.Done():
	}
	if err == nil || !strings.Contains(err.Error(), "had 2 partitions, and now has 3") {
		t.Errorf("error %v, want one that says so", err)
	}
}

func TestFeaturesHaveOtherPartitions(t *testing.T) {
	plan, _ := hostileLog(t, 4, 10)
	w := newWorld(t, plan, 2)
	if err := w.cluster.CreateTopic(streaming.FeaturesTopic(plan.Name), 3, nil); err != nil {
		t.Fatal(err)
	}
	w.refused(w.config(), "fixture.features", "has 3 partitions, not 2")
}

func TestRetentionIsLost(t *testing.T) {
	w := ran(t)
	if err := w.cluster.DeleteRecords(w.plan.Source.Name, 0, 5); err != nil {
		t.Fatal(err)
	}
	cfg := w.config()
	cfg.UntilEnd = false
	w.refused(cfg, "partition 0", "retention lost below the frontier: offset 0 is needed, and the log begins at 5", "delete the pipeline's consumer group")
}

// commit replaces what the group has committed for partition 0.
func (w *world) commit(change func(o kadm.Offset) kadm.Offset) {
	w.Helper()
	group := streaming.Group(w.plan)
	offsets, err := w.admin().FetchOffsets(w.ctx, group)
	if err != nil {
		w.Fatal(err)
	}
	o, ok := offsets.Lookup(w.plan.Source.Name, 0)
	if !ok {
		w.Fatal("nothing is committed")
	}
	into := kadm.Offsets{}
	into.Add(change(o.Offset))
	if err := w.admin().CommitAllOffsets(w.ctx, group, into); err != nil {
		w.Fatal(err)
	}
}

func TestNotes(t *testing.T) {
	for name, test := range map[string]struct {
		change func(o kadm.Offset) kadm.Offset
		want   []string
	}{
		"an offset that a tool has set": {
			func(o kadm.Offset) kadm.Offset { o.Metadata, o.At = "", 3; return o },
			[]string{"its offset 3 was not committed by spillway", "delete the group"},
		},
		"an offset moved under its note": {
			func(o kadm.Offset) kadm.Offset { o.At--; return o },
			[]string{"has the note of offset"},
		},
		"a note of another plan": {
			func(o kadm.Offset) kadm.Offset {
				o.Metadata = strings.Replace(o.Metadata, `"plan":"`, `"plan":"0`, 1)
				return o
			},
			[]string{"and plan 0"},
		},
		"a note to come": {
			func(o kadm.Offset) kadm.Offset {
				o.Metadata = strings.Replace(o.Metadata, `"v":1`, `"v":2`, 1)
				return o
			},
			[]string{"its note has version 2, and this is 1"},
		},
		"another watermark": {
			func(o kadm.Offset) kadm.Offset {
				o.Metadata = strings.Replace(o.Metadata, `"watermark":`, `"watermark":1`, 1)
				return o
			},
			[]string{"partition 0, rebuilt up to offset", "differs from what was committed", "a function that the plan calls has changed"},
		},
		"another account": {
			func(o kadm.Offset) kadm.Offset {
				o.Metadata = strings.Replace(o.Metadata, `"on_time":`, `"on_time":1`, 1)
				return o
			},
			[]string{"differs from what was committed"},
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := ran(t)
			w.commit(test.change)
			cfg := w.config()
			cfg.UntilEnd = false
			w.refused(cfg, test.want...)
		})
	}
}

func TestTwoOfOneInstance(t *testing.T) {
	w := ran(t)
	cfg := w.config()
	cfg.Instance = "pod-0"
	cfg.SessionTimeout = 500 * time.Millisecond
	first := w.join(cfg)
	w.until("it has its partitions", func() bool { _, n := first.read(); return n == 2 })
	second := w.join(cfg)
	select {
	case err := <-first.done:
		if err == nil || !strings.Contains(err.Error(), `instance "pod-0": another process took over its name`) {
			t.Errorf("error %v, want one that says so", err)
		}
	case err := <-second.done:
		t.Errorf("the newer one ended: %v", err)
	case <-w.ctx.Done():
		t.Error("both run on")
	}
}

func TestSessionTimeoutIsRefused(t *testing.T) {
	plan, _ := hostileLog(t, 4, 10)
	w := newWorld(t, plan, 1)
	cfg := w.config()
	cfg.SessionTimeout, cfg.UntilEnd = time.Hour, false
	w.refused(cfg, "SessionTimeout", "outside of what the broker allows")
}

type taken struct {
	Key  string `spill:"key,key"`
	Plan int64  `spill:"plan"`
}

func TestConfig(t *testing.T) {
	plan, _ := hostileLog(t, 4, 10)
	w := newWorld(t, plan, 1)
	type event struct {
		Key string    `spill:"key,key"`
		At  time.Time `spill:"at,time"`
	}
	named := pipeline.Define("named", func(d *pipeline.Draft) {
		var e event
		var r taken
		pipeline.Aggregate(pipeline.From(d, "events", &e), &r, pipeline.EveryEvent(),
			pipeline.Feature(&r.Plan, agg.Count(), window.Last(time.Minute)))
	})
	named1, err := named.Plan()
	for name, test := range map[string]struct {
		change func(*streaming.Config)
		want   string
	}{
		"no plan":                {func(c *streaming.Config) { c.Plan = nil }, "has no plan or no format"},
		"no format":              {func(c *streaming.Config) { c.Format = nil }, "has no plan or no format"},
		"negative duration":      {func(c *streaming.Config) { c.CommitEvery = -1 }, "CommitEvery: is -1ns"},
		"commits too rare":       {func(c *streaming.Config) { c.CommitEvery = time.Minute }, "transactions are aborted after 10s"},
		"a column named plan":    {func(c *streaming.Config) { c.Plan = named1 }, `a column has the name "plan"`},
		"a client without sense": {func(c *streaming.Config) { c.Client = append(c.Client, kgo.FetchMaxWait(-1)) }, "Kafka client"},
	} {
		t.Run(name, func(t *testing.T) {
			if name == "a column named plan" && err != nil {
				t.Skip("the definition refuses it already:", err)
			}
			cfg := w.config()
			test.change(&cfg)
			w.refused(cfg, test.want)
		})
	}
}

// TestStopIsNoError stops a stream and a follower.
func TestStopIsNoError(t *testing.T) {
	w := ran(t)
	m := w.join(w.config())
	w.until("it has its partitions", func() bool { _, n := m.read(); return n == 2 })
	w.stop(m)
	group, err := w.admin().DescribeGroups(w.ctx, streaming.Group(w.plan))
	if err != nil {
		t.Fatal(err)
	}
	if g := group[streaming.Group(w.plan)]; len(g.Members) != 0 {
		t.Errorf("%d members are left in the group", len(g.Members))
	}
	ctx, cancel := context.WithCancel(w.ctx)
	cancel()
	if err := streaming.Follow(ctx, streaming.FollowConfig{Source: w.config().Source}, sinkFunc(nil)); err == nil {
		t.Error("a follower that never reached a broker ended without an error")
	}
}
