package spillway

import (
	"context"
	"errors"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kerr"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/streaming/kafka"
)

// embedded is the broker that the processes on one data folder share. Whoever holds the folder's lock runs it and notes
// its address. When that process ends, however it does, one of the others takes the lock and runs the broker at the same
// address, so that the clients of all find it again: commands may be ended in any order.
type embedded struct {
	config *Config
	log    *slog.Logger
	addr   string

	stop   chan struct{} // ends watch
	done   sync.WaitGroup
	broker *kafka.Broker // nil while another process runs it
	unlock func()
}

const (
	// takeOver is how often a process looks whether the one that runs the broker has gone.
	takeOver = 100 * time.Millisecond
	// openPatience is how long a broker may take to read its folder before it answers.
	openPatience = 30 * time.Second
)

func (e *embedded) note() string { return e.config.path("kafka.addr") }

// open finds the broker of the process that runs it, or runs it.
func (e *embedded) open(ctx context.Context) error {
	if err := os.MkdirAll(e.config.DataDir, 0o755); err != nil {
		return fault.Wrap(err, "data folder "+e.config.DataDir, "cannot be made", "choose another with data_dir")
	}
	e.stop = make(chan struct{})
	for start := time.Now(); ; {
		if e.addr = answers(e.note()); e.addr != "" {
			e.done.Go(e.watch)
			return nil
		}
		unlock, err := lockFile(e.config.path("kafka.lock"))
		if err == nil {
			return e.run(unlock, 0)
		}
		if time.Since(start) > openPatience {
			return fault.Wrap(err, "embedded Kafka in "+e.config.path("kafka"), "is used by a process that does not answer",
				"stop that process, or choose another data_dir")
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(takeOver):
		}
	}
}

// run starts the broker, under the lock.
func (e *embedded) run(unlock func(), port int) error {
	b, err := kafka.Embedded(e.config.path("kafka"), port)
	if err != nil {
		unlock()
		return err
	}
	if err := os.WriteFile(e.note(), []byte(b.Addr()), 0o644); err != nil {
		b.Close()
		unlock()
		return fault.Wrap(err, e.note(), "cannot be written", "see that the data folder can be written")
	}
	e.broker, e.unlock, e.addr = b, unlock, b.Addr()
	return nil
}

// watch waits until the process that runs the broker has gone, and runs it from then on.
func (e *embedded) watch() {
	look := time.NewTicker(takeOver)
	defer look.Stop()
	for warned := false; ; {
		select {
		case <-e.stop:
			return
		case <-look.C:
		}
		unlock, err := lockFile(e.config.path("kafka.lock"))
		if err != nil {
			continue // it is still there
		}
		if answers(e.note()) != "" { // where files cannot be locked
			unlock()
			continue
		}
		_, port, _ := net.SplitHostPort(e.addr)
		n, _ := strconv.Atoi(port)
		if err = e.run(unlock, n); err == nil {
			return
		}
		if !warned {
			e.log.Warn("the process that ran the embedded Kafka has ended, and this one cannot run it yet", "error", err)
			warned = true
		}
	}
}

// close ends the broker if this process runs it.
func (e *embedded) close() {
	close(e.stop)
	e.done.Wait()
	if e.broker == nil {
		return
	}
	_ = os.Remove(e.note())
	e.broker.Close()
	e.unlock()
}

// answers is the address that the note names, if somebody answers there.
func answers(note string) string {
	b, err := os.ReadFile(filepath.Clean(note))
	if err != nil {
		return ""
	}
	addr := strings.TrimSpace(string(b))
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return ""
	}
	_ = conn.Close()
	return addr
}

// full says that the embedded broker's disk is full, where that is why the broker refused something: it cannot say so
// itself.
func (r *rooms) full(err error) error {
	if len(r.config.Brokers) > 0 || !errors.Is(err, kerr.UnknownServerError) {
		return err
	}
	probe := r.config.path("probe")
	defer os.Remove(probe)
	if tried := os.WriteFile(probe, make([]byte, 1<<20), 0o600); errors.Is(tried, syscall.ENOSPC) {
		return fault.Wrap(tried, "data folder "+r.config.DataDir, "has no space left for the embedded Kafka",
			"free some; what was acknowledged is kept")
	}
	return err
}
