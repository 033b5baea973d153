package reconcile

import (
	"bytes"
	"context"
	"errors"
	"maps"
	"math"
	"strings"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/pipeline/kernel"
)

// payments is a small log with every cause of an event.
const payments = `
case payments
events
  0: t=100 x=1 key=a
  1: t=101 x=2 key=b s="x"
  2: t=103 x=4 key=a
  3: t=102 x=8 key=a -> on time
  4: t=110 x=16 key=b
  5: t=104 x=32 key=b -> late
  6: t=90 x=64 key=a -> too late
  7: t=101 x=2 key=b id=#0/1 s="x" -> duplicate
  8: t=130 x=128 key=c
  9: t=131 x=1 key=a id=#0/0 -> on time
  1/0: t=7 x=1 key=d
source out_of_order=3s lateness=10s
every event
feature a sum(x) last 40s
feature b max(s) last 40s
feature c count() last 40s historical
`

// spoilt are streams that are not as-served.
var spoilt = []struct {
	name  string
	spoil func(p *kernel.Program, w *world)
	want  Identity // less the sums and samples
	kind  string
}{
	{"a value", func(_ *kernel.Program, w *world) { w.stream.Columns[0].F[2] = 7 }, Identity{Differing: 1, Agreed: 8}, "differing"},
	{"the last bit of a value", func(_ *kernel.Program, w *world) {
		w.stream.Columns[0].F[2] = math.Nextafter(w.stream.Columns[0].F[2], 0)
	}, Identity{Differing: 1, Agreed: 8}, "differing"},
	{"the sign of a zero", func(_ *kernel.Program, w *world) {
		w.served.Columns[0].F[2], w.stream.Columns[0].F[2] = 0, math.Copysign(0, -1)
	}, Identity{Differing: 1, Agreed: 8}, "differing"},
	{"a null", func(_ *kernel.Program, w *world) { w.stream.Columns[1].Valid[4] = false }, Identity{Differing: 1, Agreed: 8}, "differing"},
	{
		"a lost row", func(p *kernel.Program, w *world) { w.stream = pick(p, w.stream, []int{0, 1, 3, 4, 5, 6, 7, 8}) },
		Identity{Missing: 1, Agreed: 8},
		"missing",
	},
	{
		"a row of nobody", func(p *kernel.Program, w *world) { w.served = pick(p, w.served, []int{0, 1, 3, 4, 5, 6, 7, 8}) },
		Identity{Extra: 1, Agreed: 8},
		"extra",
	},
	{
		"a row twice", func(p *kernel.Program, w *world) { w.stream = pick(p, w.stream, []int{0, 1, 2, 2, 3, 4, 5, 6, 7, 8}) },
		Identity{Repeated: 1, Agreed: 9},
		"repeated",
	},
	{"another offset", func(_ *kernel.Program, w *world) { w.stream.Offset[8]++ }, Identity{Missing: 1, Extra: 1, Agreed: 8}, "missing"},
	{"another revision", func(_ *kernel.Program, w *world) { w.stream.Revision[8]++ }, Identity{Missing: 1, Extra: 1, Agreed: 8}, "missing"},
}

func TestSpoiltStream(t *testing.T) {
	for _, c := range spoilt {
		t.Run(c.name, func(t *testing.T) {
			w := parse(t, payments)[0]
			c.spoil(compiled(t, w.plan, kernel.Live), w)
			r := w.run(t, Options{})
			got := r.Identity
			if got.Differing != c.want.Differing || got.Missing != c.want.Missing || got.Extra != c.want.Extra ||
				got.Repeated != c.want.Repeated || got.Agreed != c.want.Agreed {
				t.Errorf("got %+v, want %+v", got, c.want)
			}
			if r.Verdict.Outcome != Breaks || r.Verdict.ExitCode != 1 || len(r.Verdict.Reasons) == 0 {
				t.Errorf("verdict %+v", r.Verdict)
			}
			if len(got.Samples) == 0 || got.Samples[0].Kind != c.kind {
				t.Errorf("samples %+v", got.Samples)
			}
		})
	}
}

func TestAgreement(t *testing.T) {
	w := parse(t, payments)[0]
	for _, batch := range []int{1, 2, 3, 100} {
		w.batch = batch
		r := w.run(t, Options{})
		if r.Verdict.Outcome != Agrees || r.Verdict.ExitCode != 0 || r.Identity.Agreed != 9 || r.Identity.Coverage != 1 {
			t.Errorf("batches of %d: %+v, %+v", batch, r.Verdict, r.Identity)
		}
		if r.Lateness.Differences() != 6 || r.Lateness.Examined != 6 {
			t.Errorf("batches of %d: %+v", batch, r.Lateness)
		}
	}
}

// TestUnexplained spoils a side behind the stream's back: no execution gives such rows, and they must not pass.
func TestUnexplained(t *testing.T) {
	live, all := func(w *world) *kernel.Rows { return w.served }, func(w *world) *kernel.Rows { return w.truth }
	for _, c := range []struct {
		name string
		side func(*world) *kernel.Rows
		row  int
	}{{"served, where nothing differed", live, 0}, {"truth, where nothing differed", all, 8}, {"truth, where something did", all, 0}} {
		t.Run(c.name, func(t *testing.T) {
			w := parse(t, payments)[0]
			c.side(w).Columns[0].F[c.row] += 0.5
			w.stream.Columns[0].F[0] = w.served.Columns[0].F[0] // The stream tells the same lie.
			r := w.run(t, Options{})
			if r.count(Unexplained) != 1 || r.Verdict.Outcome != Breaks || r.Examples[0].Reason == "" {
				t.Errorf("%s", brief(r))
			}
		})
	}
}

func TestLostRecords(t *testing.T) {
	w := parse(t, payments)[0]
	in := w.input()
	in.Log = lossy{w}
	r, err := Run(context.Background(), in, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.count(Unexplained) != 6 || r.Verdict.Outcome != Breaks {
		t.Errorf("%s", brief(r))
	}
}

// lossy is a log without records of keys.
type lossy struct{ *world }

func (l lossy) Keys(ctx context.Context, _ [][]byte) (array.RecordReader, error) {
	return l.world.Keys(ctx, nil)
}

func TestRefusals(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*Input)
		want string
	}{
		{"plan of the stream", func(in *Input) { in.Stream.PlanHash = "0123456789abcdef" }, "the stream rows are of plan 0123456789ab"},
		{"plan of truth", func(in *Input) { in.Truth.PlanHash = "" }, "the truth rows are of plan"},
		{"offset", func(in *Input) { in.Stream.Frontier = shifted(in.Stream.Frontier, 1, 0) }, "partition 0 at next offset 10"},
		{"watermark", func(in *Input) { in.Truth.Frontier = shifted(in.Truth.Frontier, 0, 1) }, "watermark 1970-01-01T00:02:08Z"},
		{"partitions", func(in *Input) { in.Stream.Frontier = Frontier{} }, "at nothing"},
	} {
		t.Run(c.name, func(t *testing.T) {
			in := parse(t, payments)[0].input()
			c.edit(in)
			r, err := Run(context.Background(), in, Options{})
			if err != nil || r.Verdict.Outcome != Inconclusive || r.Verdict.ExitCode != 3 || r.Identity.Compared != 0 {
				t.Fatalf("%v, %+v", err, r.Verdict)
			}
			if !strings.Contains(r.Verdict.Sentence, c.want) {
				t.Errorf("%q does not say %q", r.Verdict.Sentence, c.want)
			}
		})
	}
}

func shifted(f Frontier, offset, watermark int64) Frontier {
	f = maps.Clone(f)
	m := f[0]
	m.Next += offset
	m.Watermark += watermark
	f[0] = m
	return f
}

func TestInconclusive(t *testing.T) {
	empty := func(w *world) {
		w.served.Reset()
		w.stream.Reset()
		w.truth.Reset()
	}
	for _, c := range []struct {
		name string
		edit func(*world, *Options)
		want string
	}{
		{"nothing", func(w *world, _ *Options) { empty(w); w.accts = nil }, "no row was compared"},
		{"keys left out", func(_ *world, o *Options) { o.MaxKeys = 1 }, "1 difference was not examined"},
		{"low coverage", func(w *world, _ *Options) { w.short = -10 }, "only 47.37 % of the answers were compared, and 100 % are wanted"},
		{"one answer that neither has", func(w *world, _ *Options) { w.short = -1 }, "only 90 % of the answers were compared"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := parse(t, payments)[0]
			o := Options{}
			c.edit(w, &o)
			r := w.run(t, o)
			if r.Verdict.Outcome != Inconclusive || len(r.Verdict.Reasons) == 0 || !strings.Contains(r.Verdict.Reasons[0], c.want) {
				t.Errorf("%+v", r.Verdict)
			}
		})
	}
}

// TestSurplus has an as-served row too many for the records that entered.
func TestSurplus(t *testing.T) {
	w := parse(t, payments)[0]
	w.short = 1
	r := w.run(t, Options{})
	if r.Verdict.Outcome != Breaks || !strings.Contains(r.Verdict.Reasons[0], "1 as-served row is of no event") {
		t.Errorf("%+v", r.Verdict)
	}
}

// TestShareBudget leaves no budget to tell shares apart: the causes stay, as acting jointly, and the report counts them.
func TestShareBudget(t *testing.T) {
	text := "case c\n" + strings.TrimSpace(causeCases[7].text) + "\n"
	r := parse(t, text)[0].run(t, Options{ShareRows: 1})
	if r.Verdict.Outcome != Agrees || r.Unproved.Unseparated != 1 || r.Examples[len(r.Examples)-1].Minimal {
		t.Errorf("%+v\n%s", r.Unproved, brief(r))
	}
}

func TestAccounts(t *testing.T) {
	w := parse(t, payments)[0]
	in := w.input()
	in.Stream.Accounts = maps.Clone(w.accts)
	a := in.Stream.Accounts[0]
	a.Counts[kernel.Late]--
	in.Stream.Accounts[0] = a
	in.Served.Frontier = shifted(w.marks, 0, 5)
	in.Stream.Frontier, in.Truth.Frontier = in.Served.Frontier, in.Served.Frontier
	r, err := Run(context.Background(), in, Options{})
	if err != nil {
		t.Fatal(err)
	}
	if r.Verdict.Outcome != Breaks || len(r.Verdict.Reasons) != 3 {
		t.Fatalf("%+v", r.Verdict)
	}
	for i, want := range []string{"the stream's account is not that of the log", "the frontier is", "9 accounted for"} {
		if !strings.Contains(r.Verdict.Reasons[i], want) {
			t.Errorf("reason %d: %q", i, r.Verdict.Reasons[i])
		}
	}
}

// TestUnsettled gives truth a tick that the stream has not settled.
func TestUnsettled(t *testing.T) {
	w := parse(t, `
case c
events
  0: t=5 x=1
  1: t=25 x=1
source out_of_order=10s lateness=10s
every 10s
feature a sum(x) last 10s
`)[0]
	served := w.marks
	w.marks = Frontier{0: {Next: 2, Watermark: 40e6, Known: true}}
	w.truth = w.fold(t)
	w.marks = served
	got := brief(w.run(t, Options{}))
	want := `agrees: 1 of 1 rows, 3 of 4 answers
unsettled 3: alone 3
k 00:00:20Z none null row null: unsettled alone minimal`
	if got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	w.truth.Columns[0].F[len(w.truth.Columns[0].F)-2] = 9
	if r := w.run(t, Options{}); r.count(Unexplained) != 1 {
		t.Errorf("a wrong tick beyond the watermark passes:\n%s", brief(r))
	}
}

// TestTrouble gives sides and logs that cannot be read.
func TestTrouble(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*world, *Input)
		want string
	}{
		{"the stream cannot be opened", func(_ *world, in *Input) {
			in.Stream.Rows = func(context.Context) (array.RecordReader, error) { return nil, errors.New("gone") }
		}, "gone"},
		{"unsorted", func(w *world, in *Input) {
			w.served.AskTime[0] = 1e15
			in.Served.Rows = w.reader(w.served, true)
		}, "as-served rows: are not sorted: key a, ask 2001-09-09T01:46:40Z, 0/0, revision 0 comes before key a"},
		{"a row of served twice", func(w *world, in *Input) {
			w.served.AskTime[1], w.served.Offset[1] = w.served.AskTime[0], w.served.Offset[0]
			in.Served.Rows = w.reader(w.served, true)
		}, "hold one twice"},
		{"a column is missing", func(w *world, in *Input) {
			in.Truth.Rows = func(context.Context) (array.RecordReader, error) {
				sc := arrow.NewSchema(w.plan.Arrow().Fields()[:5], nil)
				return array.NewRecordReader(sc, nil)
			}
		}, `truth rows: have 0 columns "a"`},
		{"a column of another type", func(w *world, in *Input) {
			f := w.plan.Arrow().Fields()
			f[5].Type = arrow.PrimitiveTypes.Int64
			sc := arrow.NewSchema(f, nil)
			b := array.NewRecordBuilder(memory.DefaultAllocator, sc)
			b.Field(0).(*array.StringBuilder).Append("a")
			for i := 1; i < sc.NumFields(); i++ {
				b.Field(i).AppendEmptyValue()
			}
			batch := b.NewRecordBatch()
			in.Truth.Rows = func(context.Context) (array.RecordReader, error) {
				return array.NewRecordReader(sc, []arrow.RecordBatch{batch})
			}
		}, `truth rows: column "a" is of type int64`},
		{"the log ends behind the frontier", func(w *world, in *Input) {
			for _, s := range []*Side{&in.Stream, &in.Served, &in.Truth} {
				s.Frontier = shifted(w.marks, -1, 0)
			}
		}, "beyond the frontier's 9"},
		{"a partition without a frontier", func(w *world, in *Input) {
			f := Frontier{1: w.marks[1]}
			in.Stream.Frontier, in.Served.Frontier, in.Truth.Frontier = f, f, f
		}, "which the frontier does not name"},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := parse(t, payments)[0]
			in := w.input()
			c.edit(w, in)
			r, err := Run(context.Background(), in, Options{})
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Fatalf("%v", err)
			}
			if r.Verdict.Outcome != Trouble || r.Verdict.ExitCode != 2 {
				t.Errorf("%+v", r.Verdict)
			}
		})
	}
}

func TestCancelled(t *testing.T) {
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := Run(ctx, parse(t, payments)[0].input(), Options{}); !errors.Is(err, context.Canceled) {
		t.Error(err)
	}
}

// TestSameReport runs twice: a report is a function of its input.
func TestSameReport(t *testing.T) {
	w := parse(t, payments)[0]
	var a, b bytes.Buffer
	for _, out := range []*bytes.Buffer{&a, &b} {
		r := w.run(t, Options{})
		if err := errors.Join(r.WriteJSON(out), r.WriteText(out, 100, false), r.WriteHTML(out)); err != nil {
			t.Fatal(err)
		}
	}
	if !bytes.Equal(a.Bytes(), b.Bytes()) {
		t.Error("two reports of the same input differ")
	}
}

// TestMemory finds batches that are never released, after success and after errors half-way.
func TestMemory(t *testing.T) {
	for _, c := range []struct {
		name string
		edit func(*world)
	}{
		{"success", func(*world) {}},
		{"unsorted in the middle", func(w *world) { w.truth.AskTime[6] = -1e15 }},
		{"the stream's order", func(w *world) { w.stream.Offset[0] = 1e9; w.stream.AskTime[0] = 1e15 }},
		{"the log goes on", func(w *world) { w.marks[0] = Mark{Next: 3, Watermark: w.marks[0].Watermark, Known: true} }},
	} {
		t.Run(c.name, func(t *testing.T) {
			w := parse(t, payments)[0]
			w.batch = 2
			mem := memory.NewCheckedAllocator(memory.DefaultAllocator)
			w.mem = mem
			c.edit(w)
			_, err := Run(context.Background(), w.input(), Options{})
			if (err == nil) != (c.name == "success") {
				t.Error(err)
			}
			mem.AssertSize(t, 0)
		})
	}
}
