//go:build integration

package integration

import (
	"slices"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/examples/glucose/control"
	"github.com/spillway-go/spillway/integration/real"
)

// TestSharedStream lets processes share a source, join, leave when they are told to, and die, while records arrive. Every
// row must be there exactly once, whoever wrote it.
func TestSharedStream(t *testing.T) {
	const partitions = 4
	plan, err := control.Glucose.Plan()
	if err != nil {
		t.Fatal(err)
	}
	own := real.StartKafka(t)
	all := replayed(t, partitions, 6)
	createSource(t, own, plan, partitions)
	g := follow(t, own, plan)

	sent := map[int32][]*kgo.Record{}
	// more sends another seventh of the records.
	more := func() {
		n := min(len(all), count(sent)+len(all)/7+1)
		produce(t, own, plan, all[count(sent):n], sent)
	}
	start := func() *process {
		p := &process{cmd: stream(t.Context(), t, own, "glucose", "stream", plan.Name, "--commit-every", "20ms")}
		if err := p.cmd.Start(); err != nil {
			t.Fatal(err)
		}
		return p
	}
	// shared waits until so many processes have all partitions, and each an equal part of them.
	shared := func(processes int) {
		t.Helper()
		g.until(t, "the processes share the partitions", func() bool {
			shares, whole := g.shares(t, partitions)
			return whole && len(shares) == processes && slices.Min(shares) == partitions/processes
		})
	}
	// done waits until all that was sent is committed.
	done := func() {
		t.Helper()
		g.until(t, "all is committed", func() bool { return g.committed(t) == int64(count(sent)) })
	}

	more()
	a := start()
	g.advance(t, 0)
	more()
	b := start() // while a works
	shared(2)
	done()

	more()
	a.end(t, syscall.SIGTERM) // in the middle of it
	shared(1)
	done()

	more()
	c := start()
	shared(2)
	more()
	b.end(t, syscall.SIGKILL)
	d := start()
	shared(2)
	done()

	more()
	more()
	if out, err := stream(t.Context(), t, own, "glucose", "stream", plan.Name, "--until-end").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	if n := g.committed(t); n != int64(len(all)) {
		t.Errorf("--until-end came back with %d of %d offsets committed", n, len(all))
	}
	c.end(t, syscall.SIGTERM)
	d.end(t, syscall.SIGTERM)
	compare(t, rows(t, own, plan), undisturbed(t, plan, sent))
}
