package serve_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"log/slog"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spillway-go/spillway/featurestore/online"
	"github.com/spillway-go/spillway/featurestore/serve"
	"github.com/spillway-go/spillway/internal/fault"
)

func TestTwoViewsOfOnePipeline(t *testing.T) {
	view, err := online.NewView(nil, planOf(t, cardActivity), online.ViewOptions{})
	if err != nil {
		t.Fatal(err)
	}
	_, err = serve.New(serve.Config{Views: []*online.View{view, view}})
	var explained *fault.Error
	if !errors.As(err, &explained) || explained.Fault != "is served twice" {
		t.Errorf("got %v", err)
	}
}

func TestListen(t *testing.T) {
	l, err := serve.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	for address, want := range map[string]string{
		l.Addr().String():   "is in use",
		"127.0.0.1":         "cannot be listened on",
		"192.0.2.1:0":       "cannot be listened on",
		"127.0.0.1:no-port": "cannot be listened on",
	} {
		_, err := serve.Listen(address)
		var explained *fault.Error
		if !errors.As(err, &explained) || explained.Fault != want || explained.Remedy == "" {
			t.Errorf("%s: got %v, want %q", address, err, want)
		}
	}
}

// heldClock holds up whoever asks for the time, and says that somebody does.
type heldClock struct{ asked, release chan struct{} }

func (c *heldClock) Now() time.Time {
	c.asked <- struct{}{}
	<-c.release
	return noon
}

func TestShutdown(t *testing.T) {
	clock := &heldClock{make(chan struct{}), make(chan struct{})}
	s := newServer(t, serve.Config{Clock: clock})
	l, err := serve.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	ctx, stop := context.WithCancel(t.Context())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	answered := make(chan string, 1)
	go func() {
		resp, err := http.Get("http://" + l.Addr().String() + "/v1/features/card_activity/c1")
		if err != nil {
			answered <- err.Error()
			return
		}
		defer resp.Body.Close()
		body, _ := io.ReadAll(resp.Body)
		answered <- string(body)
	}()
	<-clock.asked
	stop()
	for {
		conn, err := net.Dial("tcp", l.Addr().String())
		if err != nil {
			break // no more are taken
		}
		conn.Close()
	}
	if status, _ := call(t, s, "GET", "/readyz", ""); status != 503 {
		t.Errorf("a stopping server says %d to readyz", status)
	}
	close(clock.release)
	if got := <-answered; !strings.Contains(got, `"key":"c1"`) {
		t.Errorf("the request under way got %q", got)
	}
	if err := <-done; err != nil {
		t.Errorf("Serve: %v", err)
	}
}

func TestTrouble(t *testing.T) {
	var log bytes.Buffer
	s, store := newServerOver(t, serve.Config{Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	status, body := call(t, s, "POST", "/get-online-features", `{"entities": {"card": ["c1"]}, "features": ["card_activity:count_5m"]}`)
	if status != 500 || strings.Contains(body, "store") || !strings.Contains(log.String(), "is closed") {
		t.Errorf("%d %s, log %q", status, body, &log)
	}
}
