package streaming_test

import (
	"flag"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/spillway-go/spillway/bench/payments/topic"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/streaming"
)

var (
	brokerFlag = flag.String("broker", "", "host:port of a Kafka for TestKill9; without it one is started as a child process")
	killsFlag  = flag.Int("kills", 5, "how often TestKill9 kills the stream")
)

// TestKill9 kills the process of a stream again and again while it writes, and compares what stands in the topics in the
// end with the kernel's answers. Every second process has a name that it keeps.
func TestKill9(t *testing.T) {
	for i, instance := range []string{"", "pod-0"} {
		t.Run("instance "+instance, func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(i), 11))
			addr := broker(t)
			source := fmt.Sprintf("payments-%d", time.Now().UnixNano())
			if err := topic.Load(t.Context(), addr, source, 4000**killsFlag); err != nil {
				t.Fatal(err)
			}
			cfg, err := killable(addr, source)
			if err != nil {
				t.Fatal(err)
			}
			w := worldAt(t, addr, cfg.Plan)
			w.source, w.format = source, cfg.Format
			w.forget()
			amidst := 0
			for n := range *killsFlag {
				at := w.written() + 1 + r.Int64N(4000)
				cmd, _ := child(t, childStream+addr+" "+source+" "+instance)
				over := false
				w.until(fmt.Sprintf("row %d is written, of process %d", at, n), func() bool {
					over = w.committed() >= int64(4000**killsFlag)
					return over || w.written() >= at
				})
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				cmd.Wait()
				if !over {
					amidst++
				}
			}
			t.Logf("%d of %d kills while there was work", amidst, *killsFlag)
			cfg.Instance, cfg.UntilEnd = instance, true
			w.run(cfg)
			w.check(cfg)
			// What the group has committed, and not what the last process saw: it may have had nothing left to do.
			committed, err := streaming.Committed(w.ctx, cfg.Source)
			if err != nil {
				t.Fatal(err)
			}
			accounts := map[int32]kernel.Account{}
			for num, c := range committed {
				accounts[num] = c.Account
			}
			w.checkAccounts(accounts)
		})
	}
}

// forget removes what a run before has left of the pipeline.
func (w *world) forget() {
	topics := []string{streaming.FeaturesTopic(w.plan.Name), streaming.DeadTopic(w.plan.Name)}
	w.admin().DeleteGroup(w.ctx, streaming.Group(w.plan))
	w.admin().DeleteTopics(w.ctx, topics...)
	w.until("the topics are gone", func() bool {
		listed, err := w.admin().ListTopics(kadm.WithAuthorizedOps(w.ctx))
		return err == nil && !listed.Has(topics[0]) && !listed.Has(topics[1])
	})
}

// committed is the sum of the offsets that the group has committed.
func (w *world) committed() (n int64) {
	offsets, err := w.admin().FetchOffsets(w.ctx, streaming.Group(w.plan))
	if err != nil {
		return 0
	}
	offsets.Each(func(o kadm.OffsetResponse) { n += max(0, o.At) })
	return n
}

// written is how many offsets of the features topic have been taken, committed or not.
func (w *world) written() (n int64) {
	ends, err := w.admin().ListEndOffsets(kadm.WithAuthorizedOps(w.ctx), streaming.FeaturesTopic(w.plan.Name))
	if err != nil {
		return 0
	}
	ends.Each(func(o kadm.ListedOffset) { n += max(0, o.Offset) })
	return n
}
