package serve_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/spillway-go/spillway/featurestore/online"
	"github.com/spillway-go/spillway/featurestore/serve"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
)

// BenchmarkServer answers requests for six features of one card of 10,000, which a client in a process of its own sends over
// kept-alive connections. requests/cpu-s is by the processor time of the server's process. At a rate the client sends on a
// schedule; when an answer is so late that the next request is overdue, its latency counts from when it was due.
func BenchmarkServer(b *testing.B) {
	addr := startServer(b)
	for _, c := range []struct {
		name              string
		connections, rate int
	}{{"flat out", 16, 0}, {"10000 a second", 16, 10_000}} {
		b.Run(c.name, func(b *testing.B) {
			before := processorTime(b)
			b.ResetTimer()
			r := runClient(b, load{addr, b.N, c.connections, c.rate})
			b.StopTimer()
			b.ReportMetric(float64(b.N)/(processorTime(b)-before).Seconds(), "requests/cpu-s")
			b.ReportMetric(float64(b.N)/r.Wall.Seconds(), "requests/s")
			b.ReportMetric(float64(r.P50.Nanoseconds())/1e3, "p50-µs")
			b.ReportMetric(float64(r.P99.Nanoseconds())/1e3, "p99-µs")
		})
	}
}

const benchCards = 10_000

func benchCard(n int) string { return fmt.Sprintf("c%06d", n) }

// startServer serves cards with some ten payments each in the last hour.
func startServer(b *testing.B) string {
	store, err := online.OpenPebble(b.TempDir(), online.PebbleOptions{})
	if err != nil {
		b.Fatal(err)
	}
	plan := planOf(b, cardActivity)
	random := rand.New(rand.NewPCG(1, 1))
	log := make(pipelinetest.Log, 10*benchCards)
	for i := range log {
		at := noon.Add(time.Duration(i) * time.Hour / time.Duration(len(log))).UnixMicro()
		log[i] = pipelinetest.Record{Offset: int64(i), Stamp: at, Values: []expr.Datum{
			{S: benchCard(random.IntN(benchCards))},
			{S: fmt.Sprintf("m%05d", random.IntN(20_000))},
			{F: float64(random.IntN(50_000)) / 100},
			{I: 100},
			{I: at},
		}}
	}
	apply(b, store, plan, log)
	publish(b, store, plan)
	view, err := online.NewView(store, plan, online.ViewOptions{})
	if err != nil {
		b.Fatal(err)
	}
	s, err := serve.New(serve.Config{Views: []*online.View{view}, Clock: &fixedClock{noon.Add(time.Hour)}})
	if err != nil {
		b.Fatal(err)
	}
	l, err := serve.Listen("127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	ctx, stop := context.WithCancel(context.Background())
	done := make(chan error, 1)
	go func() { done <- s.Serve(ctx, l) }()
	b.Cleanup(func() {
		stop()
		if err := <-done; err != nil {
			b.Error(err)
		}
		store.Close()
	})
	return l.Addr().String()
}

func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// load is what the client is told.
type load struct {
	Address               string
	Requests, Connections int
	Rate                  int // requests a second; 0: as fast as they are answered
}

// result is what it saw.
type result struct {
	Wall, P50, P99 time.Duration
	Failed         int
}

const clientEnv = "SERVE_BENCH_LOAD"

func runClient(b *testing.B, l load) (r result) {
	told, err := json.Marshal(l)
	if err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command(os.Args[0], "-test.run=^TestBenchClient$")
	cmd.Env = append(os.Environ(), clientEnv+"="+string(told))
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	if err := json.NewDecoder(out).Decode(&r); err != nil {
		b.Errorf("the client says: %v", err)
	}
	io.Copy(io.Discard, out)
	if err := cmd.Wait(); err != nil || r.Failed > 0 {
		b.Errorf("%d requests failed, %v", r.Failed, err)
	}
	return r
}

// TestBenchClient is the client's process.
func TestBenchClient(t *testing.T) {
	told := os.Getenv(clientEnv)
	if told == "" {
		t.Skip("is the client of BenchmarkServer")
	}
	var l load
	if err := json.Unmarshal([]byte(told), &l); err != nil {
		t.Fatal(err)
	}
	var group sync.WaitGroup
	latencies := make([][]time.Duration, l.Connections)
	start := time.Now()
	for c := range l.Connections {
		group.Go(func() { latencies[c] = l.send(start, c) })
	}
	group.Wait()
	r := result{Wall: time.Since(start)}
	all := slices.Concat(latencies...)
	slices.Sort(all)
	r.Failed = l.Requests - len(all)
	if len(all) > 0 {
		r.P50, r.P99 = all[len(all)/2], all[len(all)*99/100]
	}
	if err := json.NewEncoder(os.Stdout).Encode(r); err != nil {
		t.Fatal(err)
	}
}

// send sends the requests of one connection, and gives the latencies of those that were answered.
func (l *load) send(start time.Time, connection int) (latencies []time.Duration) {
	conn, err := net.Dial("tcp", l.Address)
	if err != nil {
		return nil
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	random := rand.New(rand.NewPCG(uint64(connection), 2))
	var out []byte
	for n := connection; n < l.Requests; n += l.Connections {
		due := time.Now()
		if l.Rate > 0 {
			due = start.Add(time.Duration(n) * time.Second / time.Duration(l.Rate))
			if wait := time.Until(due); wait > 0 {
				time.Sleep(wait)
				due = time.Now() // a sleep overshoots by up to a millisecond, which is not the server's
			}
		}
		body := `{"features":["card_activity:count_5m","card_activity:spend_1h","card_activity:last_merchant","card_activity:cents_1h",` +
			`"card_activity:mean_90d","card_activity:count_90d"],"entities":{"card":["` + benchCard(random.IntN(benchCards)) + `"]}}`
		out = append(out[:0], "POST /get-online-features HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: "...)
		out = strconv.AppendInt(out, int64(len(body)), 10)
		out = append(append(out, "\r\n\r\n"...), body...)
		if _, err := conn.Write(out); err != nil {
			return latencies
		}
		resp, err := http.ReadResponse(in, nil)
		if err != nil {
			return latencies
		}
		_, err = io.Copy(io.Discard, resp.Body)
		if err != nil || resp.StatusCode != http.StatusOK {
			return latencies
		}
		latencies = append(latencies, time.Since(due))
	}
	return latencies
}
