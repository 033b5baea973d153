package duckdb

import (
	"context"
	"errors"
	"sync"
	"time"

	bindings "github.com/duckdb/duckdb-go-bindings"
)

// interruptEvery is the time between two interrupts of a query that is to end: DuckDB forgets one that comes before the
// query has begun.
const interruptEvery = 10 * time.Millisecond

// session is a connection that is interrupted when its context ends.
type session struct {
	conn   bindings.Connection
	stop   func() bool   // takes the interruption back
	closed chan struct{} // closed when the connection goes
	mu     sync.Mutex    // held while the connection is interrupted or goes
}

func (d *DB) connect(ctx context.Context) (*session, error) {
	if err := ctx.Err(); err != nil {
		return nil, context.Cause(ctx)
	}
	s := &session{closed: make(chan struct{})}
	if bindings.Connect(d.db, &s.conn) != bindings.StateSuccess {
		return nil, errors.New("duckdb: the database is closed")
	}
	s.stop = context.AfterFunc(ctx, s.interrupt)
	return s, nil
}

// interrupt interrupts the session again and again until it is closed.
func (s *session) interrupt() {
	again := time.NewTicker(interruptEvery)
	defer again.Stop()
	for {
		s.mu.Lock()
		select {
		case <-s.closed:
			s.mu.Unlock()
			return
		default:
			bindings.Interrupt(s.conn)
		}
		s.mu.Unlock()
		select {
		case <-s.closed:
			return
		case <-again.C:
		}
	}
}

func (s *session) close() {
	s.stop()
	s.mu.Lock()
	defer s.mu.Unlock()
	close(s.closed)
	bindings.Disconnect(&s.conn)
}
