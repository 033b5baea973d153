package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net"
	"net/http"
	"os"
	"os/exec"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/bench/payments"
	"github.com/spillway-go/spillway/featurestore/online"
	"github.com/spillway-go/spillway/featurestore/serve"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/window"
)

// BenchmarkServe answers requests for six features of one card, which this process sends over kept-alive connections to a
// server in a process of its own with one processor (GOMAXPROCS=1). requests/cpu-s is by the processor time of that process.
// At a rate requests are sent on a schedule; one that is overdue because the answer before it was late counts from when it
// was due. The bare server answers as many bytes with net/http alone: it is the floor, and says how fast the machine is.
func BenchmarkServe(b *testing.B) {
	for _, s := range []struct {
		role string
		rate int // 0: as fast as they are answered
	}{{"serve", 0}, {"serve", 10_000}, {"bare", 0}} {
		name := s.role + "/flat_out"
		if s.rate > 0 {
			name = fmt.Sprintf("%s/%d_a_second", s.role, s.rate)
		}
		b.Run(name, func(b *testing.B) {
			p := startServe(b, s.role)
			load := serveLoad{address: p.address, requests: b.N, connections: 16, rate: s.rate}
			load.run(b)
			before := p.spent(b)
			b.ResetTimer()
			start := time.Now()
			latencies := load.run(b)
			wall := time.Since(start)
			b.StopTimer()
			b.ReportMetric(float64(b.N)/(p.spent(b)-before).Seconds(), "requests/cpu-s")
			b.ReportMetric(float64(b.N)/wall.Seconds(), "requests/s")
			b.ReportMetric(float64(latencies[len(latencies)/2].Nanoseconds())/1e3, "p50-µs")
			b.ReportMetric(float64(latencies[len(latencies)*99/100].Nanoseconds())/1e3, "p99-µs")
		})
	}
}

// served is what is known of one card.
type served struct {
	Card        string  `spill:"card,key"`
	Count5m     int64   `spill:"count_5m"`
	Spend1h     float64 `spill:"spend_1h"`
	Merchants1h int64   `spill:"merchants_1h"`
	Abroad1h    int64   `spill:"abroad_1h"`
	Greatest1h  float64 `spill:"greatest_1h"`
	Mean90d     float64 `spill:"mean_90d"`
}

var servedCards = pipeline.Define("served_cards", func(d *pipeline.Draft) {
	var p payments.Payment
	var s served
	amount := expr.Col(&p.Amount)
	abroad := expr.NotEqual(expr.Col(&p.Country), expr.Col(&p.Home))
	pipeline.Aggregate(pipeline.From(d, "payments", &p, pipeline.OutOfOrder(30*time.Second)), &s, pipeline.EveryEvent(),
		pipeline.Feature(&s.Count5m, agg.Count(), window.Last(5*time.Minute)),
		pipeline.Feature(&s.Spend1h, agg.Sum(amount).Or(0), window.Last(time.Hour)),
		pipeline.Feature(&s.Merchants1h, agg.Distinct(expr.Col(&p.Merchant)), window.Last(time.Hour)),
		pipeline.Feature(&s.Abroad1h, agg.Count().Where(abroad), window.Last(time.Hour)),
		pipeline.Feature(&s.Greatest1h, agg.Max(amount).Or(0), window.Last(time.Hour)),
		pipeline.Feature(&s.Mean90d, agg.Mean(amount).Or(0), window.Last(90*window.Day).Tile(window.Day)).Historical(),
	)
})

const (
	servedKeys     = 10_000
	servedPayments = 10 * servedKeys // in the last hour
	servedBody     = `{"features":["served_cards:count_5m","served_cards:spend_1h","served_cards:merchants_1h","served_cards:abroad_1h",` +
		`"served_cards:greatest_1h","served_cards:mean_90d"],"entities":{"card":["`
)

func servedCard(n int) string { return fmt.Sprintf("c%06d", n) }

// serveProcess is the server's.
type serveProcess struct {
	address string
	in      io.Writer
	out     *bufio.Reader
}

const serveRole = "SPILLWAY_BENCH_SERVE"

func startServe(b *testing.B, role string) *serveProcess {
	b.Helper()
	args := []string{"-test.run=^TestServeProcess$"}
	if profile := os.Getenv("SERVE_PROFILE"); profile != "" {
		args = append(args, "-test.cpuprofile="+profile)
	}
	cmd := exec.Command(os.Args[0], args...)
	cmd.Env = append(os.Environ(), serveRole+"="+role, "GOMAXPROCS=1", "SERVE_BENCH_DIR="+b.TempDir())
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	p := &serveProcess{in: in, out: bufio.NewReader(out)}
	b.Cleanup(func() {
		in.Close()
		_, _ = io.Copy(io.Discard, p.out)
		if err := cmd.Wait(); err != nil {
			b.Error("the server's process:", err)
		}
	})
	p.address = p.line(b)
	return p
}

func (p *serveProcess) line(b *testing.B) string {
	b.Helper()
	s, err := p.out.ReadString('\n')
	if err != nil {
		b.Fatal("the server's process says nothing: ", err)
	}
	return strings.TrimSpace(s)
}

// spent is the processor time of the server's process so far.
func (p *serveProcess) spent(b *testing.B) time.Duration {
	b.Helper()
	if _, err := io.WriteString(p.in, "spent\n"); err != nil {
		b.Fatal(err)
	}
	n, err := strconv.ParseInt(p.line(b), 10, 64)
	if err != nil {
		b.Fatal(err)
	}
	return time.Duration(n)
}

// TestServeProcess is the server's process. It ends with its standard input.
func TestServeProcess(t *testing.T) {
	role := os.Getenv(serveRole)
	if role == "" {
		t.Skip("is the server of BenchmarkServe")
	}
	var handler http.Handler = bareServer{}
	if role == "serve" {
		handler = newServer(t)
	}
	l, err := serve.Listen("127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	server := &http.Server{Handler: handler, ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second}
	if s, ok := handler.(*serve.Server); ok {
		go func() { _ = s.Serve(t.Context(), l) }()
	} else {
		go func() { _ = server.Serve(l) }()
	}
	fmt.Println(l.Addr())
	for asked := bufio.NewScanner(os.Stdin); asked.Scan(); {
		var u syscall.Rusage
		if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
			t.Fatal(err)
		}
		fmt.Println(u.Utime.Nano() + u.Stime.Nano())
	}
}

// bareServer reads the body and answers as many bytes as the real one.
type bareServer struct{}

var bareAnswer = []byte(strings.Repeat("x", 820))

func (bareServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	_, _ = io.Copy(io.Discard, r.Body)
	w.Header()["Content-Type"] = []string{"application/json"}
	w.Header()["Content-Length"] = []string{strconv.Itoa(len(bareAnswer))}
	_, _ = w.Write(bareAnswer)
}

// hourLater is the clock of the server: the end of the hour in which the payments were.
type hourLater struct{}

func (hourLater) Now() time.Time { return payments.Start.Add(time.Hour) }

// newServer serves cards with some ten payments each in the last hour, and yesterday's mean.
func newServer(t *testing.T) *serve.Server {
	ctx := t.Context()
	store, err := online.OpenPebble(os.Getenv("SERVE_BENCH_DIR"), online.PebbleOptions{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	plan, err := servedCards.Plan()
	if err != nil {
		t.Fatal(err)
	}
	live, err := kernel.Compile(plan, kernel.Live)
	if err != nil {
		t.Fatal(err)
	}
	writer, err := online.NewWriter(ctx, store, live)
	if err != nil {
		t.Fatal(err)
	}
	task, rows := kernel.NewTask(live, 0), live.NewRows()
	const batch = 5000
	for first := int64(0); first < servedPayments; first += batch {
		rec := servedRecord(plan, first, batch)
		rows.Reset()
		if err := task.Push(rec, first+batch, rows); err != nil {
			t.Fatal(err)
		}
		if err := writer.Apply(ctx, 0, task, rec); err != nil {
			t.Fatal(err)
		}
		rec.Release()
	}
	publishServed(ctx, t, store, plan)
	view, err := online.NewView(store, plan, online.ViewOptions{})
	if err != nil {
		t.Fatal(err)
	}
	s, err := serve.New(serve.Config{Views: []*online.View{view}, Clock: hourLater{}})
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// servedRecord is payments of cards drawn evenly, spread over the hour.
func servedRecord(plan *pipeline.Plan, first int64, n int) arrow.RecordBatch {
	random := rand.New(rand.NewPCG(uint64(first), 1))
	b := array.NewRecordBuilder(memory.DefaultAllocator, plan.Source.Schema.Log())
	defer b.Release()
	text := func(c int, s string) { b.Field(c).(*array.StringBuilder).Append(s) }
	for i := range n {
		offset := first + int64(i)
		at := arrow.Timestamp(payments.Start.UnixMicro() + offset*time.Hour.Microseconds()/servedPayments)
		text(0, "p"+strconv.FormatInt(offset, 10))
		text(1, servedCard(random.IntN(servedKeys)))
		text(2, fmt.Sprintf("m%05d", random.IntN(payments.Merchants)))
		text(3, "DE")
		text(4, []string{"DE", "FR"}[random.IntN(20)/19])
		b.Field(5).(*array.Float64Builder).Append(float64(random.IntN(50_000)) / 100)
		b.Field(6).(*array.TimestampBuilder).Append(at)
		b.Field(7).(*array.Int32Builder).Append(0)
		b.Field(8).(*array.Int64Builder).Append(offset)
		b.Field(9).(*array.TimestampBuilder).Append(at)
		b.Field(10).AppendNull()
		b.Field(11).AppendNull()
	}
	return b.NewRecordBatch()
}

func publishServed(ctx context.Context, t *testing.T, store online.Store, plan *pipeline.Plan) {
	prog, err := kernel.Compile(plan, online.Historical)
	if err != nil {
		t.Fatal(err)
	}
	rows := prog.NewRows()
	for n := range servedKeys {
		rows.Keys.Append([]byte(servedCard(n)))
		rows.Columns[0].Append(expr.Datum{F: float64(n) / 100})
	}
	run := online.Run{ID: "20260101T000000", AsOf: payments.Start.UnixMicro(), Published: payments.Start.UnixMicro()}
	var once iter.Seq2[*kernel.Rows, error] = func(yield func(*kernel.Rows, error) bool) { yield(rows, nil) }
	if _, err := online.Publish(ctx, store, plan, run, once); err != nil {
		t.Fatal(err)
	}
}

// serveLoad is what is sent.
type serveLoad struct {
	address               string
	requests, connections int
	rate                  int // requests a second; 0: as fast as they are answered
}

// run sends the requests and gives their latencies, sorted.
func (l *serveLoad) run(b *testing.B) []time.Duration {
	b.Helper()
	var group sync.WaitGroup
	latencies := make([][]time.Duration, l.connections)
	start := time.Now()
	for c := range l.connections {
		group.Go(func() { latencies[c] = l.send(start, c) })
	}
	group.Wait()
	all := slices.Concat(latencies...)
	slices.Sort(all)
	if len(all) != l.requests {
		b.Fatalf("%d of %d requests failed", l.requests-len(all), l.requests)
	}
	return all
}

// sleep sleeps in a thread of its own: the timers of the runtime wake up to a millisecond late and several at once, so that
// requests would come in bursts.
func sleep(d time.Duration) {
	left := syscall.NsecToTimespec(d.Nanoseconds())
	for syscall.Nanosleep(&left, &left) == syscall.EINTR {
	}
}

// send sends the requests of one connection, and gives the latencies of those that were answered.
func (l *serveLoad) send(start time.Time, connection int) (latencies []time.Duration) {
	conn, err := net.Dial("tcp", l.address)
	if err != nil {
		return nil
	}
	defer conn.Close()
	in := bufio.NewReader(conn)
	random := rand.New(rand.NewPCG(uint64(connection), 2))
	var out []byte
	for n := connection; n < l.requests; n += l.connections {
		due := time.Now()
		if l.rate > 0 {
			due = start.Add(time.Duration(n) * time.Second / time.Duration(l.rate))
			if wait := time.Until(due); wait > 0 {
				sleep(wait)
				due = time.Now() // what a sleep overshoots by is not the server's
			}
		}
		body := servedBody + servedCard(random.IntN(servedKeys)) + `"]}}`
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
