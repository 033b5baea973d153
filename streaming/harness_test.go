package streaming_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow/memory"
	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/hostile"
	"github.com/spillway-go/spillway/streaming"
	"github.com/spillway-go/spillway/streaming/decode"
)

// patience is how long a test waits for what must happen.
const patience = 30 * time.Second

// world is a broker, a pipeline and its source.
type world struct {
	*testing.T
	cluster *kfake.Cluster // nil when the broker is another process
	addr    string
	plan    *pipeline.Plan
	source  string // the topic
	format  decode.Format
	client  *kgo.Client // without a transaction
	ctx     context.Context
}

// newWorld makes a topic with so many partitions for the plan, or none if there are none.
func newWorld(t *testing.T, plan *pipeline.Plan, partitions int32) *world {
	t.Helper()
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	if err != nil {
		t.Fatal(err)
	}
	if partitions > 0 {
		if err := cluster.CreateTopic(plan.Source.Name, partitions, nil); err != nil {
			t.Fatal(err)
		}
	}
	t.Cleanup(cluster.Close)
	w := worldAt(t, cluster.ListenAddrs()[0], plan)
	w.cluster = cluster
	return w
}

// worldAt is the world of a broker at an address.
func worldAt(t *testing.T, addr string, plan *pipeline.Plan) *world {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 10*patience)
	t.Cleanup(cancel)
	w := &world{T: t, addr: addr, plan: plan, source: plan.Source.Name, format: decode.JSON(), ctx: ctx}
	w.client = w.connect()
	return w
}

func (w *world) connect(opts ...kgo.Opt) *kgo.Client {
	w.Helper()
	client, err := kgo.NewClient(append(opts, kgo.SeedBrokers(w.addr),
		kgo.RecordPartitioner(kgo.ManualPartitioner()))...)
	if err != nil {
		w.Fatal(err)
	}
	w.Cleanup(client.Close)
	return client
}

func (w *world) admin() *kadm.Client { return kadm.NewClient(w.client) }

// config runs the plan with transactions of a few milliseconds until the end of what is there.
func (w *world) config() streaming.Config {
	cfg := streaming.Config{
		Source: streaming.Source{
			Plan: w.plan, Format: decode.JSON(), UntilEnd: true, Patience: patience, Monitor: &streaming.Monitor{},
			Client: []kgo.Opt{kgo.SeedBrokers(w.addr)},
		},
		CommitEvery:    2 * time.Millisecond,
		SessionTimeout: 2 * time.Second,
	}
	if os.Getenv("SPILLWAY_TEST_LOG") != "" {
		cfg.Logger = slog.New(slog.NewTextHandler(os.Stderr, nil))
		cfg.Client = append(cfg.Client, kgo.WithLogger(kgo.BasicLogger(os.Stderr, kgo.LogLevelInfo, func() string { return time.Now().Format("05.000 ") })))
	}
	return cfg
}

func (w *world) run(cfg streaming.Config) {
	w.Helper()
	if err := streaming.Run(w.ctx, cfg); err != nil {
		w.Fatal(err)
	}
	if err := w.ctx.Err(); err != nil {
		w.Fatal(err)
	}
}

// hostileLog is a pipeline and a log at random; the offsets of each partition are 0, 1, 2, ….
func hostileLog(t testing.TB, seed uint64, records int) (*pipeline.Plan, pipelinetest.Log) {
	t.Helper()
	r := rand.New(rand.NewPCG(seed, 0))
	def := hostile.Plan(r)
	p, err := def.Pipeline()
	if err != nil {
		t.Fatal(err)
	}
	plan, err := p.Plan()
	if err != nil {
		t.Fatal(err)
	}
	var log pipelinetest.Log
	for len(log) < records {
		more := hostile.Log(r, &def, hostile.Options{Records: records, Finite: true})
		log = append(log, more...)
	}
	return plan, def.Bind(log[:records]).Dense()
}

// partitionsOf is how many partitions the log needs.
func partitionsOf(log pipelinetest.Log) int32 {
	n := int32(1)
	for i := range log {
		n = max(n, log[i].Partition+1)
	}
	return n
}

func (w *world) messages(log pipelinetest.Log) []*kgo.Record {
	w.Helper()
	ms, err := log.Messages(&w.plan.Source)
	if err != nil {
		w.Fatal(err)
	}
	recs := make([]*kgo.Record, len(ms))
	for i, m := range ms {
		recs[i] = &kgo.Record{
			Topic: w.plan.Source.Name, Partition: m.Partition, Key: m.Key, Value: m.Value, Timestamp: m.Stamp,
			Headers: []kgo.RecordHeader{{Key: "n", Value: fmt.Append(nil, i)}},
		}
	}
	return recs
}

func (w *world) send(recs []*kgo.Record) {
	w.Helper()
	for chunk := range slices.Chunk(recs, 10) { // so that the broker has many batches, which are fetched as a whole
		if err := w.client.ProduceSync(w.ctx, chunk...).FirstErr(); err != nil {
			w.Fatal(err)
		}
	}
}

func (w *world) rand() *rand.Rand { return rand.New(rand.NewPCG(1, 12)) }

// sendInTransactions sends the records in transactions of a few each, and between them others that are aborted.
func (w *world) sendInTransactions(r *rand.Rand, recs []*kgo.Record) {
	w.Helper()
	client := w.connect(kgo.TransactionalID("producer"))
	transact := func(recs []*kgo.Record, end kgo.TransactionEndTry) {
		if err := client.BeginTransaction(); err != nil {
			w.Fatal(err)
		}
		if err := client.ProduceSync(w.ctx, recs...).FirstErr(); err != nil {
			w.Fatal(err)
		}
		if err := client.EndTransaction(w.ctx, end); err != nil {
			w.Fatal(err)
		}
	}
	for len(recs) > 0 {
		n := 1 + r.IntN(min(len(recs), 20))
		if r.IntN(2) == 0 {
			ghosts := make([]*kgo.Record, n)
			for i, rec := range recs[:n] {
				ghosts[i] = &kgo.Record{Topic: rec.Topic, Partition: rec.Partition, Value: []byte("never seen")}
			}
			transact(ghosts, kgo.TryAbort)
		}
		transact(recs[:n], kgo.TryCommit)
		recs = recs[n:]
	}
}

// read gives the committed records of a topic up to its end, by partition.
func (w *world) read(topic string) map[int32][]*kgo.Record {
	w.Helper()
	starts, ends := w.offsets(topic)
	client := w.connect(kgo.ConsumeTopics(topic), kgo.ConsumeResetOffset(kgo.NewOffset().AtStart()),
		kgo.FetchIsolationLevel(kgo.ReadCommitted()), kgo.KeepControlRecords(), kgo.FetchMaxWait(10*time.Millisecond))
	defer client.Close()
	got := map[int32][]*kgo.Record{}
	left := map[int32]int64{}
	ends.Each(func(o kadm.ListedOffset) {
		if s, _ := starts.Lookup(topic, o.Partition); s.Offset < o.Offset {
			left[o.Partition] = o.Offset
		}
	})
	for len(left) > 0 {
		fetches := client.PollFetches(w.ctx)
		if err := fetches.Err(); err != nil {
			w.Fatalf("read of %s: %v, left %v", topic, err, left)
		}
		fetches.EachRecord(func(r *kgo.Record) {
			if r.Offset+1 >= left[r.Partition] {
				delete(left, r.Partition)
			}
			if !r.Attrs.IsControl() {
				got[r.Partition] = append(got[r.Partition], r)
			}
		})
	}
	return got
}

// offsets are where a topic's partitions begin, and where what is committed ends.
func (w *world) offsets(topic string) (starts, ends kadm.ListedOffsets) {
	w.Helper()
	ctx := kadm.WithAuthorizedOps(w.ctx) // not from memory
	starts, err := w.admin().ListStartOffsets(ctx, topic)
	if err = errors.Join(err, starts.Error()); err != nil {
		w.Fatal(err)
	}
	ends, err = w.admin().ListCommittedOffsets(ctx, topic)
	if err = errors.Join(err, ends.Error()); err != nil {
		w.Fatal(err)
	}
	return starts, ends
}

// outcome is what a stream leaves behind.
type outcome struct {
	rows     map[int32][]string
	letters  map[int32][]string
	accounts map[int32]kernel.Account
}

// want is the outcome by the kernel alone, which is given the source's records one by one.
func (w *world) want() outcome {
	w.Helper()
	prog, err := kernel.Compile(w.plan, kernel.Live)
	if err != nil {
		w.Fatal(err)
	}
	o := outcome{map[int32][]string{}, map[int32][]string{}, map[int32]kernel.Account{}}
	_, ends := w.offsets(w.source)
	rows := prog.NewRows()
	for num, recs := range w.read(w.source) {
		b, err := decode.NewBuilder(w.plan.Source.Schema, w.format)
		if err != nil {
			w.Fatal(err)
		}
		task := kernel.NewTask(prog, num)
		if err := task.Push(pipelinetest.Log{}.Batch(memory.DefaultAllocator, w.plan.Source.Schema), 0, rows); err != nil {
			w.Fatal(err)
		}
		for i, r := range recs {
			b.Reset()
			var schema []byte
			if text, ok := headers(r)[decode.SchemaHeader]; ok {
				schema = []byte(text)
			}
			if err := b.AddNamed(w.ctx, num, r.Offset, r.Timestamp.UnixMicro(), schema, r.Value); err != nil {
				w.Fatal(err)
			}
			next := r.Offset + 1
			if i == len(recs)-1 {
				end, _ := ends.Lookup(r.Topic, num)
				next = end.Offset
			}
			rows.Reset()
			if err := task.Push(b.Batch(), next, rows); err != nil {
				w.Fatal(err)
			}
			for j := range rows.Len() {
				o.rows[num] = append(o.rows[num], rowText(rows, j)+" @"+r.Timestamp.UTC().String())
			}
			for _, l := range task.Letters() {
				o.letters[num] = append(o.letters[num], letterText(r, num, r.Offset, l.Class.String(), l.Reason))
			}
			for _, d := range task.DeadAnswers() {
				o.letters[num] = append(o.letters[num], letterText(r, num, r.Offset, "answer",
					fmt.Sprintf("feature %q: %s", d.Feature, d.Reason))+fmt.Sprint(" ", d.Key, " ", d.AskTime, " ", d.Revision))
			}
		}
		o.accounts[num] = task.Account()
	}
	return o
}

// got is what stands in the pipeline's topics.
func (w *world) got(cfg streaming.Config) outcome {
	w.Helper()
	o := outcome{map[int32][]string{}, map[int32][]string{}, map[int32]kernel.Account{}}
	stamps := w.read(streaming.FeaturesTopic(w.plan.Name))
	err := streaming.ReadRows(w.ctx, cfg.Source, func(rows *kernel.Rows) error {
		for i := range rows.Len() {
			num := rows.Partition[i]
			n := len(o.rows[num])
			if n >= len(stamps[num]) {
				return fmt.Errorf("partition %d: a plain consumer read %d rows, and there are more: %s", num, n, rowText(rows, i))
			}
			stamp := stamps[num][n]
			if string(stamp.Key) != string(rows.Keys.At(i)) {
				return errors.New("the record's key is not the row's")
			}
			o.rows[num] = append(o.rows[num], rowText(rows, i)+" @"+stamp.Timestamp.UTC().String())
		}
		return nil
	})
	if err != nil {
		w.Fatal(err)
	}
	for num, recs := range w.read(streaming.DeadTopic(w.plan.Name)) {
		for _, r := range recs {
			h := map[string]string{}
			for _, header := range r.Headers {
				h[header.Key] = string(header.Value)
			}
			text := letterText(r, num, 0, h[streaming.ClassHeader], h[streaming.ReasonHeader])
			text = strings.Replace(text, "/0 ", "/"+h[streaming.OffsetHeader]+" ", 1)
			if h[streaming.ClassHeader] == streaming.AnswerClass {
				text += " " + h[streaming.EntityHeader] + " " + h[streaming.AskTimeHeader] + " " + h[streaming.RevisionHeader]
			}
			if h[streaming.PipelineHeader] != w.plan.Name || h[streaming.PlanHeader] != w.plan.Hash() ||
				h[streaming.TopicHeader] != w.source || h[streaming.PartitionHeader] != fmt.Sprint(num) ||
				h[streaming.TimestampHeader] != fmt.Sprint(r.Timestamp.UnixMilli()) {
				w.Errorf("headers of a letter: %v", h)
			}
			o.letters[num] = append(o.letters[num], text)
		}
	}
	for _, p := range cfg.Monitor.Status().Partitions {
		o.accounts[p.Partition] = p.Account
	}
	return o
}

func letterText(r *kgo.Record, num int32, offset int64, class, reason string) string {
	mark := ""
	if len(r.Headers) > 0 && r.Headers[0].Key == "n" { // a header of the record's own
		mark = string(r.Headers[0].Value)
	}
	return fmt.Sprintf("%d/%d %q=%q %s@%d %s: %s", num, offset, r.Key, r.Value, mark, r.Timestamp.UnixMilli(), class, reason)
}

// rowText shows every bit of a row.
func rowText(rows *kernel.Rows, i int) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%q %d %d/%d r%d", rows.Keys.At(i), rows.AskTime[i], rows.Partition[i], rows.Offset[i], rows.Revision[i])
	for c := range rows.Columns {
		col := &rows.Columns[c]
		switch {
		case !col.Valid[i]:
			b.WriteString(" null")
		case len(col.F) > 0:
			fmt.Fprintf(&b, " %b", col.F[i])
		case len(col.I) > 0:
			fmt.Fprintf(&b, " %d", col.I[i])
		default:
			fmt.Fprintf(&b, " %q", col.S.At(i))
		}
	}
	return b.String()
}

// check compares what the stream left behind with the kernel's own answers.
func (w *world) check(cfg streaming.Config) {
	w.Helper()
	want, got := w.want(), w.got(cfg)
	compare(w, "rows", got.rows, want.rows)
	compare(w, "letters", got.letters, want.letters)
}

// checkAccounts compares the accounts that a Run that read everything gave last.
func (w *world) checkAccounts(got map[int32]kernel.Account) {
	w.Helper()
	for num, want := range w.want().accounts {
		if got[num] != want {
			w.Errorf("partition %d: account %+v, want %+v", num, got[num], want)
		}
	}
}

func compare(t testing.TB, what string, got, want map[int32][]string) {
	t.Helper()
	for num := range int32(16) {
		g, w := got[num], want[num]
		for i := range max(len(g), len(w)) {
			switch {
			case i >= len(g):
				t.Fatalf("%s of partition %d: %d instead of %d; missing from\n%s", what, num, len(g), len(w), w[i])
			case i >= len(w):
				t.Fatalf("%s of partition %d: %d instead of %d; too many from\n%s", what, num, len(g), len(w), g[i])
			case g[i] != w[i]:
				t.Fatalf("%s of partition %d: number %d is\n%s\nwant\n%s", what, num, i, g[i], w[i])
			}
		}
	}
}

// until waits until it is so.
func (w *world) until(what string, so func() bool) {
	w.Helper()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for deadline := time.Now().Add(patience); !so(); <-tick.C {
		if time.Now().After(deadline) {
			w.Fatalf("waited in vain until %s", what)
		}
	}
}
