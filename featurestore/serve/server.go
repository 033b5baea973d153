package serve

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net"
	"net/http"
	"sync"
	"sync/atomic"
	"syscall"
	"time"

	"github.com/spillway-go/spillway/featurestore/online"
	"github.com/spillway-go/spillway/internal/fault"
)

// Clock tells what "now" is. It is an interface so that tests need not wait.
type Clock interface {
	Now() time.Time
}

// Config says what a server answers for, and within which bounds. Only Views must be set.
type Config struct {
	Views   []*online.View // one a pipeline
	Ready   func() error   // why the server is not ready, or nil; nil is always ready
	Clock   Clock          // nil is the system's
	Logger  *slog.Logger   // nil logs nothing
	MaxBody int            // of a request, in bytes; 0 is DefaultMaxBody
	MaxKeys int            // in a request; 0 is DefaultMaxKeys
	Grace   time.Duration  // how long requests under way may take when the server stops; 0 is DefaultGrace
}

// The defaults of a Config.
const (
	DefaultMaxBody = 4 << 20
	DefaultMaxKeys = 10_000
	DefaultGrace   = 10 * time.Second
)

// The bounds on what a client may make the server wait for.
const (
	headerTimeout = 5 * time.Second
	readTimeout   = 10 * time.Second
	writeTimeout  = 30 * time.Second
	idleTimeout   = 2 * time.Minute
	maxHeader     = 64 << 10 // bytes
)

// Server answers for features. It is an http.Handler, and Serve runs it.
type Server struct {
	config    Config
	views     map[string]*view
	stopping  atomic.Bool
	exchanges sync.Pool // of *exchange
}

type systemClock struct{}

func (systemClock) Now() time.Time { return time.Now() }

// New makes a server. Two views of one pipeline are an error.
func New(c Config) (*Server, error) {
	if c.Clock == nil {
		c.Clock = systemClock{}
	}
	if c.Logger == nil {
		c.Logger = slog.New(slog.DiscardHandler)
	}
	if c.MaxBody == 0 {
		c.MaxBody = DefaultMaxBody
	}
	if c.MaxKeys == 0 {
		c.MaxKeys = DefaultMaxKeys
	}
	if c.Grace == 0 {
		c.Grace = DefaultGrace
	}
	s := &Server{config: c, views: map[string]*view{}}
	for _, v := range c.Views {
		name := v.Plan().Name
		if s.views[name] != nil {
			return nil, fault.New("pipeline "+name, "is served twice", "give each pipeline a name of its own")
		}
		s.views[name] = newView(v)
	}
	s.exchanges.New = func() any { return &exchange{names: map[string]bool{}} }
	return s, nil
}

// Listen opens the address, such as ":6566" or "127.0.0.1:0". The error is a *fault.Error.
func Listen(address string) (net.Listener, error) {
	l, err := net.Listen("tcp", address)
	thing := "address " + address
	switch {
	case err == nil:
		return l, nil
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fault.Wrap(err, thing, "is in use", "stop the process that listens there, or choose another port")
	case errors.Is(err, fs.ErrPermission):
		return nil, fault.Wrap(err, thing, "may not be listened on", "choose a port above 1023")
	}
	return nil, fault.Wrap(err, thing, "cannot be listened on", "write it as HOST:PORT or :PORT, with a host of this machine")
}

// Serve answers on the listener until the context ends, then lets requests under way finish for Config.Grace. It returns
// nil after an orderly end.
func (s *Server) Serve(ctx context.Context, l net.Listener) error {
	server := &http.Server{
		Handler:           s,
		ReadHeaderTimeout: headerTimeout,
		ReadTimeout:       readTimeout,
		WriteTimeout:      writeTimeout,
		IdleTimeout:       idleTimeout,
		MaxHeaderBytes:    maxHeader,
		ErrorLog:          slog.NewLogLogger(s.config.Logger.Handler(), slog.LevelWarn),
	}
	failed := make(chan error, 1)
	go func() { failed <- server.Serve(l) }()
	select {
	case err := <-failed:
		return fmt.Errorf("serving on %s: %w", l.Addr(), err)
	case <-ctx.Done():
	}
	s.stopping.Store(true)
	grace, cancel := context.WithTimeout(context.WithoutCancel(ctx), s.config.Grace)
	defer cancel()
	if err := server.Shutdown(grace); err != nil {
		s.config.Logger.Warn("requests under way were cut off", "grace", s.config.Grace)
		return server.Close()
	}
	return nil
}

// now is the present moment, µs.
func (s *Server) now() int64 { return s.config.Clock.Now().UnixMicro() }
