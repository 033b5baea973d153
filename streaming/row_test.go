package streaming

import (
	"bytes"
	"context"
	"fmt"
	"math"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/window"
	"github.com/spillway-go/spillway/streaming/decode"
)

type rowEvent struct {
	Key  string    `spill:"key,key"`
	At   time.Time `spill:"at,time"`
	X    float64   `spill:"x"`
	N    int64     `spill:"n"`
	S    string    `spill:"s"`
	B    bool      `spill:"b"`
	Then time.Time `spill:"then"`
}

type rowResult struct {
	Key  string     `spill:"the_key,key"`
	X    *float64   `spill:"x"`
	Old  *float64   `spill:"old"`
	N    *int64     `spill:"n"`
	S    *string    `spill:"s"`
	B    *bool      `spill:"b"`
	Then *time.Time `spill:"then"`
}

// kinds is a plan with a live feature of each kind, and one that is not live among them.
func kinds(t testing.TB) (*pipeline.Plan, *kernel.Program) {
	p := pipeline.Define("kinds", func(d *pipeline.Draft) {
		var e rowEvent
		var r rowResult
		last := window.Last(time.Minute)
		pipeline.Aggregate(pipeline.From(d, "events", &e), &r, pipeline.EveryEvent(),
			pipeline.Feature(&r.X, agg.Last(expr.Col(&e.X)), last),
			pipeline.Feature(&r.Old, agg.Mean(expr.Col(&e.X)), last).Historical(),
			pipeline.Feature(&r.N, agg.Last(expr.Col(&e.N)), last),
			pipeline.Feature(&r.S, agg.Last(expr.Col(&e.S)), last),
			pipeline.Feature(&r.B, agg.Last(expr.Col(&e.B)), last),
			pipeline.Feature(&r.Then, agg.Last(expr.Col(&e.Then)), last))
	})
	plan, err := p.Plan()
	if err != nil {
		t.Fatal(err)
	}
	prog, err := kernel.Compile(plan, kernel.Live)
	if err != nil {
		t.Fatal(err)
	}
	return plan, prog
}

// The bounds of times: the first microsecond after Go's zero time, and the last of year 9999.
var (
	earliest = time.Date(1, 1, 1, 0, 0, 0, 1000, time.UTC).UnixMicro()
	latest   = time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC).UnixMicro()
)

func pick[T any](r *rand.Rand, from ...T) T { return from[r.IntN(len(from))] }

// addRow appends a row at random to rows of kinds.
func addRow(r *rand.Rand, rows *kernel.Rows) {
	text := func() []byte {
		return []byte(pick(r, "", "plain", `"`, `\`, `\"`, "\x00\x1f\x7f\n\t\r\b", "日本", "e\u0301😀\u2028", `,"plan":"0123456789ab"`, "</script>"))
	}
	at := func() int64 {
		return pick(r, 0, -1, 1, earliest, latest, r.Int64N(latest-earliest)+earliest, -86_400_000_001, 951_782_400_000_000)
	}
	rows.Keys.Append(text())
	rows.AskTime = append(rows.AskTime, at())
	rows.Partition = append(rows.Partition, 3)
	rows.Offset = append(rows.Offset, pick[int64](r, 0, 7, math.MaxInt64))
	rows.Revision = append(rows.Revision, pick[int32](r, 0, 1, math.MaxInt32))
	for i := range rows.Columns {
		c := &rows.Columns[i]
		ok := r.IntN(4) > 0
		c.Valid = append(c.Valid, ok)
		switch i {
		case 0:
			c.F = append(c.F, pick(r, 0, 1, -1.5, 0.1, 1.0/3, math.NaN(), math.Inf(1), math.Inf(-1), math.MaxFloat64, 5e-324,
				2.2250738585072014e-308, 1e21, 1e-7, 123456789012345678, math.Float64frombits(r.Uint64N(0x7ff0<<48))))
		case 1:
			c.I = append(c.I, pick[int64](r, 0, -1, math.MaxInt64, math.MinInt64, 1<<53+1))
		case 2:
			if ok {
				c.S.Append(text())
			} else {
				c.S.Append(nil)
			}
		case 3:
			c.I = append(c.I, r.Int64N(2))
		case 4:
			c.I = append(c.I, at())
		}
	}
}

// cells shows every bit of the valid cells.
func cells(rows *kernel.Rows, i int) string {
	var b bytes.Buffer
	fmt.Fprintf(&b, "%q %d %d %d %d", rows.Keys.At(i), rows.AskTime[i], rows.Partition[i], rows.Offset[i], rows.Revision[i])
	for c := range rows.Columns {
		switch col := &rows.Columns[c]; {
		case !col.Valid[i]:
			b.WriteString(" null")
		case c == 0:
			fmt.Fprintf(&b, " %x", math.Float64bits(col.F[i]))
		case c == 2:
			fmt.Fprintf(&b, " %q", col.S.At(i))
		default:
			fmt.Fprintf(&b, " %d", col.I[i])
		}
	}
	return b.String()
}

// TestRowsComeBack writes rows at random and reads them back to the bit.
func TestRowsComeBack(t *testing.T) {
	plan, prog := kinds(t)
	r := rand.New(rand.NewPCG(1, 1))
	rows := prog.NewRows()
	for range 3000 {
		addRow(r, rows)
	}
	w := newRowWriter(plan)
	b, err := decode.NewBuilder(rowSchema(plan), decode.JSON())
	if err != nil {
		t.Fatal(err)
	}
	for i := range rows.Len() {
		text := w.append(nil, rows, i)
		if n := bytes.Count(text, []byte(w.plan)); n != 1 {
			t.Fatalf("the plan's mark stands %d times in %s", n, text)
		}
		if err := b.Add(context.Background(), 3, int64(i), 0, text); err != nil {
			t.Fatal(err)
		}
	}
	back := prog.NewRows()
	if err := fillRows(back, b.Batch(), "t"); err != nil {
		t.Fatal(err)
	}
	for i := range rows.Len() {
		if got, want := cells(back, i), cells(rows, i); got != want {
			t.Fatalf("row %d is\n%s\nwant\n%s\nfrom %s", i, got, want, w.append(nil, rows, i))
		}
	}
}

func TestRowText(t *testing.T) {
	plan, prog := kinds(t)
	rows := prog.NewRows()
	rows.Keys.Append([]byte("c\"1\n"))
	rows.AskTime = []int64{time.Date(2026, 1, 2, 3, 4, 5, 600_000, time.UTC).UnixMicro()}
	rows.Partition, rows.Offset, rows.Revision = []int32{2}, []int64{17}, []int32{1}
	c := rows.Columns
	for i := range c {
		c[i].Valid = []bool{i != 1}
	}
	c[0].F, c[1].I, c[3].I, c[4].I = []float64{0.1}, []int64{0}, []int64{1}, []int64{-1}
	c[2].S.Append([]byte("é"))
	want := `{"the_key":"c\"1\n","ask_time":"2026-01-02T03:04:05.000600Z","partition":2,"offset":17,"revision":1,"plan":"` +
		plan.Hash()[:12] + `","x":0.1,"n":null,"s":"é","b":true,"then":"1969-12-31T23:59:59.999999Z"}`
	if got := string(newRowWriter(plan).append(nil, rows, 0)); got != want {
		t.Errorf("row\n%s\nwant\n%s", got, want)
	}
}

// TestBrokenRows: what stands in the topic of rows and is none is not passed over.
func TestBrokenRows(t *testing.T) {
	plan, prog := kinds(t)
	mark := `"plan":"` + plan.Hash()[:12] + `"`
	whole := `{"the_key":"k","ask_time":"2026-01-02T03:04:05.000600Z","partition":3,"offset":17,"revision":1,` + mark + `,"x":1}`
	for name, test := range map[string]struct{ text, want string }{
		"whole":           {whole, ""},
		"of no key":       {`{"ask_time":"2026-01-02T03:04:05.000600Z","partition":3,"offset":17,"revision":1,` + mark + `}`, "the_key is absent"},
		"of no offset":    {`{"the_key":"k","ask_time":"2026-01-02T03:04:05.000600Z","partition":3,"revision":1,` + mark + `}`, "offset is absent"},
		"elsewhere":       {`{"the_key":"k","ask_time":"2026-01-02T03:04:05.000600Z","partition":4,"offset":17,"revision":1,` + mark + `}`, "a row of partition 4"},
		"of another kind": {whole[:len(whole)-2] + `"1"}`, "column x"},
		"cut off":         {whole[:len(whole)-1], "the value ends"},
	} {
		t.Run(name, func(t *testing.T) {
			b, err := decode.NewBuilder(rowSchema(plan), decode.JSON())
			if err != nil {
				t.Fatal(err)
			}
			if err := b.Add(context.Background(), 3, 0, 0, []byte(test.text)); err != nil {
				t.Fatal(err)
			}
			err = fillRows(prog.NewRows(), b.Batch(), "t")
			if (err == nil) != (test.want == "") || err != nil && !bytes.Contains([]byte(err.Error()), []byte(test.want)) {
				t.Errorf("error %v, want %q", err, test.want)
			}
		})
	}
}

func TestRowsCostNoAllocation(t *testing.T) {
	plan, prog := kinds(t)
	r := rand.New(rand.NewPCG(1, 3))
	rows := prog.NewRows()
	for range 100 {
		addRow(r, rows)
	}
	w := newRowWriter(plan)
	buf := make([]byte, 0, 1<<20)
	if n := testing.AllocsPerRun(10, func() {
		buf = buf[:0]
		for i := range rows.Len() {
			buf = w.append(buf, rows, i)
		}
	}); n > 0 {
		t.Errorf("%v allocations for 100 rows", n)
	}
}

func BenchmarkRow(b *testing.B) {
	plan, prog := kinds(b)
	r := rand.New(rand.NewPCG(1, 3))
	rows := prog.NewRows()
	for range 1000 {
		addRow(r, rows)
	}
	w := newRowWriter(plan)
	var buf []byte
	for i := range b.N {
		buf = w.append(buf[:0], rows, i%1000)
	}
	b.SetBytes(int64(len(buf)))
}
