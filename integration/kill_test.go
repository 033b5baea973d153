//go:build integration

package integration

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/examples/glucose/control"
	"github.com/spillway-go/spillway/examples/glucose/replay"
	"github.com/spillway-go/spillway/integration/real"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/streaming"
	"github.com/spillway-go/spillway/streaming/decode"
)

// kills is how often the stream is killed while it works.
const kills = 24

// TestKilledStream kills the stream at random moments, and holds every row that a reader of committed records sees against
// a run of the kernel that nobody disturbed: each must be there exactly once, in its partition's order.
func TestKilledStream(t *testing.T) {
	const partitions = 4
	ctx := t.Context()
	plan, err := control.Glucose.Plan()
	if err != nil {
		t.Fatal(err)
	}
	records := send(t, kafka, plan, partitions, 24)
	want := undisturbed(t, plan, records)
	g := follow(t, kafka, plan)

	seed := uint64(time.Now().UnixNano())
	t.Logf("seed %d", seed)
	r := rand.New(rand.NewPCG(seed, 0))
	killed, midway := 0, 0
	for killed < kills {
		// As a rule it has a name, with which it is back at once. The others are missed by the group, and by readers of what
		// they left open, until the timeouts.
		args := []string{"stream", plan.Name, "--commit-every", "20ms"}
		if killed%8 != 7 {
			args = append(args, "--instance", "one")
		}
		cmd := stream(ctx, t, kafka, "glucose", args...)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		// Every third dies at any moment of its start: joining, replaying. The others have committed one to three times.
		for n := r.IntN(3); killed%3 != 0 && n >= 0; n-- {
			g.advance(t, g.committed(t))
		}
		time.AfterFunc(time.Duration(r.IntN(200))*time.Millisecond, func() { _ = cmd.Process.Kill() })
		err := cmd.Wait()
		var exit *exec.ExitError
		if !errors.As(err, &exit) || exit.ExitCode() != -1 {
			t.Fatalf("the stream ended by itself: %v", err)
		}
		killed++
		done := g.committed(t)
		t.Logf("kill %d: %d of %d offsets committed", killed, done, count(records))
		if done < int64(count(records)) {
			midway++
		}
	}
	if midway < 20 {
		t.Fatalf("only %d kills fell on a stream at work; send more records", midway)
	}
	if out, err := stream(ctx, t, kafka, "glucose", "stream", plan.Name, "--until-end", "--instance", "one").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	got := rows(t, kafka, plan)
	compare(t, got, want)
	// Rows that were written and not committed are what the kills left behind; had they none, they would prove little.
	all := g.written(t)
	if all <= count(want) {
		t.Errorf("%d rows were written, and %d are committed: no kill fell into a transaction", all, count(want))
	}
	t.Logf("%d rows of %d records agree after %d kills; %d more were aborted", count(got), count(records), killed, all-count(got))
}

// stream is a command line of an example's program against the broker.
func stream(ctx context.Context, t *testing.T, broker *real.Kafka, example string, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, filepath.Join(binaries, example), append(args, "--brokers", broker.Addr(), "--data-dir", t.TempDir())...)
	cmd.Dir = t.TempDir()
	return cmd
}

// process is a running command line.
type process struct{ cmd *exec.Cmd }

// end sends the process a signal. One that it can heed it must obey without an error.
func (p *process) end(t *testing.T, signal syscall.Signal) {
	t.Helper()
	if err := p.cmd.Process.Signal(signal); err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Wait(); signal != syscall.SIGKILL && err != nil {
		t.Fatalf("after %v: %v", signal, err)
	}
}

// send writes the replay of so many times 19 people to the plan's source, and gives the records by partition.
func send(t *testing.T, broker *real.Kafka, plan *pipeline.Plan, partitions, scale int) map[int32][]*kgo.Record {
	t.Helper()
	createSource(t, broker, plan, partitions)
	sent := map[int32][]*kgo.Record{}
	produce(t, broker, plan, replayed(t, partitions, scale), sent)
	return sent
}

// replayed are the records of the replay, in the order of their arrival.
func replayed(t *testing.T, partitions, scale int) (recs []*kgo.Record) {
	t.Helper()
	people, err := replay.Open(replay.Options{Seed: 1, Scale: scale, Partitions: partitions})
	if err != nil {
		t.Fatal(err)
	}
	for {
		p, ok := people.Next()
		if !ok {
			return recs
		}
		rec := &kgo.Record{Partition: int32(p.Partition), Value: p.Payload, Timestamp: p.Arrival}
		if p.Key != nil {
			rec.Key = []byte(p.Key)
		}
		recs = append(recs, rec)
	}
}

func createSource(t *testing.T, broker *real.Kafka, plan *pipeline.Plan, partitions int) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	retention := "-1"
	if _, err := kadm.NewClient(client).CreateTopic(t.Context(), int32(partitions), 1,
		map[string]*string{"retention.ms": &retention}, plan.Source.Name); err != nil {
		t.Fatal(err)
	}
}

// produce writes records to the plan's source, and adds them to those sent.
func produce(t *testing.T, broker *real.Kafka, plan *pipeline.Plan, recs []*kgo.Record, sent map[int32][]*kgo.Record) {
	t.Helper()
	client, err := kgo.NewClient(kgo.SeedBrokers(broker.Addr()), kgo.RecordPartitioner(kgo.ManualPartitioner()), kgo.MaxBufferedRecords(1<<20))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	failed := make(chan error, 1)
	for _, rec := range recs {
		rec.Topic = plan.Source.Name
		sent[rec.Partition] = append(sent[rec.Partition], rec)
		client.Produce(t.Context(), rec, func(_ *kgo.Record, err error) {
			if err != nil {
				select {
				case failed <- err:
				default:
				}
			}
		})
	}
	if err := client.Flush(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case err := <-failed:
		t.Fatal(err)
	default:
	}
}

// undisturbed is what the kernel answers to the records, in words, by partition.
func undisturbed(t *testing.T, plan *pipeline.Plan, records map[int32][]*kgo.Record) map[int32][]string {
	t.Helper()
	prog, err := kernel.Compile(plan, kernel.Live)
	if err != nil {
		t.Fatal(err)
	}
	all := map[int32][]string{}
	for p, recs := range records {
		task, out := kernel.NewTask(prog, p), prog.NewRows()
		b, err := decode.NewBuilder(plan.Source.Schema, decode.JSON())
		if err != nil {
			t.Fatal(err)
		}
		for chunk := range slices.Chunk(recs, 5000) {
			b.Reset()
			for _, r := range chunk {
				if err := b.Add(t.Context(), p, r.Offset, r.Timestamp.UnixMilli()*1000, r.Value); err != nil {
					t.Fatal(err)
				}
			}
			out.Reset()
			if err := task.Push(b.Batch(), chunk[len(chunk)-1].Offset+1, out); err != nil {
				t.Fatal(err)
			}
			all[p] = append(all[p], words(out)...)
		}
	}
	return all
}

// rows is what a reader of committed records sees of the pipeline's output.
func rows(t *testing.T, broker *real.Kafka, plan *pipeline.Plan) map[int32][]string {
	t.Helper()
	all := map[int32][]string{}
	src := streaming.Source{Plan: plan, Format: decode.JSON(), Client: []kgo.Opt{kgo.SeedBrokers(broker.Addr())}}
	err := streaming.ReadRows(t.Context(), src, func(r *kernel.Rows) error {
		if r.Len() > 0 {
			all[r.Partition[0]] = append(all[r.Partition[0]], words(r)...)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// words writes rows so that they are the same exactly when their bits are.
func words(r *kernel.Rows) []string {
	var out []string
	for i := range r.Len() {
		s := fmt.Sprintf("%s at %d by %d/%d revision %d:", r.Keys.At(i), r.AskTime[i], r.Partition[i], r.Offset[i], r.Revision[i])
		for c := range r.Columns {
			switch col := &r.Columns[c]; {
			case !col.Valid[i]:
				s += " null"
			case col.F != nil:
				s += fmt.Sprintf(" %x", col.F[i])
			case col.I != nil:
				s += fmt.Sprintf(" %d", col.I[i])
			default:
				s += fmt.Sprintf(" %q", col.S.At(i))
			}
		}
		out = append(out, s)
	}
	return out
}

func count[T any](by map[int32][]T) (n int) {
	for _, v := range by {
		n += len(v)
	}
	return n
}

func compare(t *testing.T, got, want map[int32][]string) {
	t.Helper()
	for p := range want {
		for i := range max(len(got[p]), len(want[p])) {
			g, w := "nothing", "nothing"
			if i < len(got[p]) {
				g = got[p][i]
			}
			if i < len(want[p]) {
				w = want[p][i]
			}
			if g != w {
				t.Fatalf("partition %d, row %d of %d, and %d wanted\ngot  %s\nwant %s", p, i, len(got[p]), len(want[p]), g, w)
			}
		}
	}
}
