package streaming_test

import (
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
)

// TestExact runs pipelines at random over logs at random, whole or in two runs, and compares every row, letter and account
// with the kernel's. Half of the sources are written in transactions, some of them aborted.
func TestExact(t *testing.T) {
	for seed := range uint64(12) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 7))
			plan, log := hostileLog(t, seed, 400)
			w := newWorld(t, plan, partitionsOf(log))
			send := w.send
			if seed%2 == 1 {
				send = func(recs []*kgo.Record) { w.sendInTransactions(r, recs) }
			}
			recs := w.messages(log)
			if seed%3 == 0 {
				n := r.IntN(len(recs))
				send(recs[:n])
				w.run(w.config())
				w.check(w.config())
				recs = recs[n:]
			}
			send(recs)
			cfg := w.config()
			cfg.CommitEvery = time.Duration(1+r.IntN(20)) * time.Millisecond
			w.run(cfg)
			w.check(cfg)
			w.checkAccounts(w.got(cfg).accounts)
			if s := cfg.Monitor.Status(); s.Lag != 0 || !s.CaughtUp || s.Phase != "stopped" {
				t.Errorf("status at the end: %+v", s)
			}
		})
	}
}
