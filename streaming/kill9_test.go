package streaming_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/spillway-go/spillway/streaming"
)

// TestKill9 kills the process of a stream again and again while it writes, and compares what stands in the topics in the
// end with the kernel's answers. Every second process has a name that it keeps.
func TestKill9(t *testing.T) {
	for i, instance := range []string{"", "pod-0"} {
		t.Run("instance "+instance, func(t *testing.T) {
			r := rand.New(rand.NewPCG(uint64(i), 11))
			addr := broker(t)
			topic := fmt.Sprintf("payments-%d", time.Now().UnixNano())
			load(t, addr, topic, 20_000)
			cfg, err := killable(addr, topic)
			if err != nil {
				t.Fatal(err)
			}
			w := worldAt(t, addr, cfg.Plan)
			w.source, w.format = topic, cfg.Format
			w.forget()
			for n := range *killsFlag {
				written := w.written()
				at := written + 1 + r.Int64N(20_000/int64(*killsFlag))
				cmd, _ := child(t, childStream+addr+" "+topic+" "+instance)
				w.until(fmt.Sprintf("row %d is written, of process %d", at, n), func() bool { return w.written() >= min(at, 20_000) })
				if err := cmd.Process.Kill(); err != nil {
					t.Fatal(err)
				}
				cmd.Wait()
			}
			cfg.Instance, cfg.UntilEnd = instance, true
			w.run(cfg)
			w.check(cfg)
			w.checkAccounts(w.got(cfg).accounts)
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

// written is how many offsets of the features topic have been taken, committed or not.
func (w *world) written() (n int64) {
	ends, err := w.admin().ListEndOffsets(kadm.WithAuthorizedOps(w.ctx), streaming.FeaturesTopic(w.plan.Name))
	if err != nil {
		return 0
	}
	ends.Each(func(o kadm.ListedOffset) { n += max(0, o.Offset) })
	return n
}
