package streaming_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/spillway-go/spillway/streaming"
)

// member is a process that runs until it is stopped.
type member struct {
	stop context.CancelFunc
	done chan error
	cfg  streaming.Config
}

func (w *world) join(cfg streaming.Config) *member {
	cfg.UntilEnd = false
	cfg.Monitor = &streaming.Monitor{}
	ctx, stop := context.WithCancel(w.ctx)
	m := &member{stop: stop, done: make(chan error, 1), cfg: cfg}
	go func() { m.done <- streaming.Run(ctx, cfg) }()
	w.Cleanup(stop)
	return m
}

func (w *world) stop(m *member) {
	w.Helper()
	m.stop()
	if err := <-m.done; err != nil {
		w.Fatal(err)
	}
}

// read tells how many offsets the member has read of the partitions that it has, and how many partitions these are.
func (m *member) read() (offsets int64, partitions int) {
	s := m.cfg.Monitor.Status()
	for _, p := range s.Partitions {
		if p.Phase == streaming.Live {
			offsets += p.Next
			partitions++
		}
	}
	return offsets, partitions
}

// TestRebalance moves partitions between members that come and go while records arrive.
func TestRebalance(t *testing.T) {
	for seed := range uint64(4) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			t.Parallel()
			r := rand.New(rand.NewPCG(seed, 10))
			plan, log := hostileLog(t, 3+seed, 900)
			w := newWorld(t, plan, max(3, partitionsOf(log)))
			cfg := w.config()
			recs := w.messages(log)
			sent := 0
			var members []*member
			members = append(members, w.join(cfg))
			for sent < len(recs) {
				n := min(len(recs)-sent, 1+r.IntN(150))
				w.send(recs[sent : sent+n])
				sent += n
				switch {
				case len(members) < 3 && r.IntN(2) == 0 || len(members) == 1:
					members = append(members, w.join(cfg))
				default:
					i := r.IntN(len(members))
					w.stop(members[i])
					members = append(members[:i], members[i+1:]...)
				}
				w.until("the members have all partitions and have read everything", func() bool {
					var offsets int64
					partitions := 0
					for _, m := range members {
						select {
						case err := <-m.done:
							t.Fatalf("a member ended: %v", err)
						default:
						}
						o, p := m.read()
						if p == 0 {
							return false // it is to have a share
						}
						offsets, partitions = offsets+o, partitions+p
					}
					return offsets == int64(sent) && partitions == int(max(3, partitionsOf(log)))
				})
			}
			for _, m := range members {
				w.stop(m)
				// As a rule none is aborted: partitions move between transactions.
				s := m.cfg.Monitor.Status()
				t.Logf("%d commits, %d aborts", s.Commits, s.Aborts)
			}
			w.check(w.config())
		})
	}
}

// TestUntilEndTogether lets two members drain a source: neither ends before all of it is committed.
func TestUntilEndTogether(t *testing.T) {
	plan, log := hostileLog(t, 3, 900)
	w := newWorld(t, plan, max(3, partitionsOf(log)))
	w.send(w.messages(log))
	errs := make(chan error)
	for range 2 {
		cfg := w.config()
		cfg.SessionTimeout = 500 * time.Millisecond
		go func() { errs <- streaming.Run(w.ctx, cfg) }()
	}
	for range 2 {
		if err := <-errs; err != nil {
			t.Error(err)
		}
		w.check(w.config())
	}
}
