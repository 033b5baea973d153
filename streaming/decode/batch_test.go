package decode

import (
	"context"
	"fmt"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/ipc"
)

// sample has a column of every kind.
type sample struct {
	B  bool      `spill:"b"`
	N  int64     `spill:"n"`
	S  int32     `spill:"small"`
	F  float64   `spill:"f"`
	T  string    `spill:"t"`
	At time.Time `spill:"at"`
}

// add adds one value and fails the test if Add does.
func add(tb testing.TB, b *Builder, offset int64, value []byte) {
	tb.Helper()
	if err := b.Add(context.Background(), 3, offset, offset*10, value); err != nil {
		tb.Fatal(err)
	}
}

// show writes one row of a batch: the columns that are not null, or the flaw.
func show(batch arrow.RecordBatch, row int) string {
	var cells []string
	columns := int(batch.NumCols()) - 5
	for c := range columns {
		if a := batch.Column(c); a.IsValid(row) {
			cells = append(cells, batch.ColumnName(c)+"="+cell(a, row))
		}
	}
	if flaw := batch.Column(columns + 3); flaw.IsValid(row) {
		cells = append(cells, "flaw: "+flaw.(*array.String).Value(row))
	}
	return strings.Join(cells, " ")
}

func cell(a arrow.Array, row int) string {
	switch a := a.(type) {
	case *array.Boolean:
		return strconv.FormatBool(a.Value(row))
	case *array.Int64:
		return strconv.FormatInt(a.Value(row), 10)
	case *array.Float64:
		return strconv.FormatFloat(a.Value(row), 'g', -1, 64)
	case *array.String:
		return strconv.Quote(a.Value(row))
	case *array.Timestamp:
		return strconv.FormatInt(int64(a.Value(row)), 10)
	}
	return fmt.Sprintf("%T", a)
}

// decodeOne is the row that one value becomes.
func decodeOne(tb testing.TB, b *Builder, value []byte) string {
	tb.Helper()
	b.Reset()
	add(tb, b, 0, value)
	batch := b.Batch()
	checkRow(tb, batch, 0, value)
	return show(batch, 0)
}

// checkRow holds a row to the second invariant: columns, or a flaw with the raw value.
func checkRow(tb testing.TB, batch arrow.RecordBatch, row int, value []byte) {
	tb.Helper()
	columns := int(batch.NumCols()) - 5
	flaw, raw := batch.Column(columns+3).(*array.String), batch.Column(columns+4).(*array.Binary)
	if flaw.IsNull(row) {
		if raw.IsValid(row) {
			tb.Fatalf("row %d has raw bytes without a flaw", row)
		}
		return
	}
	if flaw.Value(row) == "" || len(flaw.Value(row)) > maxFlaw || strings.ToValidUTF8(flaw.Value(row), "") != flaw.Value(row) {
		tb.Fatalf("row %d has the flaw %q", row, flaw.Value(row))
	}
	if raw.IsNull(row) != (value == nil) || string(raw.Value(row)) != string(value) {
		tb.Fatalf("row %d has the flaw %q, but the raw bytes %q", row, flaw.Value(row), raw.Value(row))
	}
	for c := range columns {
		if batch.Column(c).IsValid(row) {
			tb.Fatalf("row %d has a flaw and a column: %s", row, show(batch, row))
		}
	}
}

// TestBatchLayout holds a batch to schema.Log and to Arrow, by writing it in Arrow's own format and reading it again.
func TestBatchLayout(t *testing.T) {
	s := mustSchema(t, &sample{})
	b, err := NewBuilder(s, JSON())
	if err != nil {
		t.Fatal(err)
	}
	for rows := range 20 {
		b.Reset()
		for i := range rows {
			value := fmt.Appendf(nil, `{"b":true,"n":%d,"f":0.5,"t":"t%d","at":"1970-01-01T00:00:01Z"}`, i, i)
			if i%3 == 2 {
				value = []byte("broken")
			}
			add(t, b, int64(100+i), value)
		}
		batch := b.Batch()
		if !batch.Schema().Equal(s.Log()) || !b.Schema().Equal(s.Log()) {
			t.Fatalf("schema is %v, want %v", batch.Schema(), s.Log())
		}
		if int(batch.NumRows()) != rows || b.Len() != rows {
			t.Fatalf("%d rows and Len %d, want %d", batch.NumRows(), b.Len(), rows)
		}
		again := reread(t, batch)
		for i := range rows {
			want := fmt.Sprintf(`b=true n=%d f=0.5 t="t%d" at=1000000`, i, i)
			if i%3 == 2 {
				want = "flaw: JSON, byte 0: expected an object, found broken"
			}
			if got := show(again, i); got != want {
				t.Fatalf("row %d of %d is %s, want %s", i, rows, got, want)
			}
			where := fmt.Sprint(again.Column(6).(*array.Int32).Value(i), again.Column(7).(*array.Int64).Value(i),
				int64(again.Column(8).(*array.Timestamp).Value(i)))
			if want := fmt.Sprint(3, 100+i, 1000+10*i); where != want {
				t.Fatalf("row %d stands at %s, want %s", i, where, want)
			}
		}
	}
}

// reread is a batch after a trip through Arrow's stream format.
func reread(tb testing.TB, batch arrow.RecordBatch) arrow.RecordBatch {
	tb.Helper()
	var stream strings.Builder
	w := ipc.NewWriter(&stream, ipc.WithSchema(batch.Schema()))
	if err := w.Write(batch); err != nil {
		tb.Fatal(err)
	}
	if err := w.Close(); err != nil {
		tb.Fatal(err)
	}
	r, err := ipc.NewReader(strings.NewReader(stream.String()))
	if err != nil {
		tb.Fatal(err)
	}
	if !r.Next() {
		tb.Fatal("no batch:", r.Err())
	}
	again := r.RecordBatch()
	if !array.RecordEqual(batch, again) {
		tb.Fatalf("batch became %v, was %v", again, batch)
	}
	return again
}

// TestRowsAcrossResets decodes rows of all shapes at every place of a batch, so that no bit, offset or null count of one
// row or batch is left over in another.
func TestRowsAcrossResets(t *testing.T) {
	shapes := []struct{ value, want string }{
		{`{"b":true,"n":-1,"small":7,"f":1.5,"t":"abc","at":5}`, `b=true n=-1 small=7 f=1.5 t="abc" at=5`},
		{`{"b":false,"t":""}`, `b=false t=""`},
		{`{}`, ``},
		{`{"t":"long enough to be seen when it is left over","b":true,"n":"x"}`, `flaw: column n: found "x", expected an integer`},
		{`{"n":null,"b":null,"n":1}`, `flaw: column n: the member stands twice`},
		{`{"at":9}`, `at=9`},
	}
	b := mustBuilder(t, &sample{}, JSON())
	next := 0
	for _, rows := range []int{1, 7, 8, 9, 64, 1023, 1024, 1025, 3000, 2, 1024} {
		b.Reset()
		first := next
		for range rows {
			add(t, b, int64(next), []byte(shapes[next*next%len(shapes)].value))
			next++
		}
		batch := b.Batch()
		for i := range rows {
			s := shapes[(first+i)*(first+i)%len(shapes)]
			checkRow(t, batch, i, []byte(s.value))
			if got := show(batch, i); got != s.want {
				t.Fatalf("row %d of %d is %s, want %s", i, rows, got, s.want)
			}
		}
		for c := range int(batch.NumCols()) {
			nulls := 0
			for i := range rows {
				if batch.Column(c).IsNull(i) {
					nulls++
				}
			}
			if nulls != batch.Column(c).NullN() {
				t.Fatalf("column %d of %d rows counts %d nulls, has %d", c, rows, batch.Column(c).NullN(), nulls)
			}
		}
	}
}

// TestBuffersDependOnRowsOnly compares the very bytes of a batch from a builder that has been used with those of one that
// has not: what is behind a null, or was written before a flaw was found, must not differ.
func TestBuffersDependOnRowsOnly(t *testing.T) {
	full := []byte(`{"b":true,"n":-1,"small":-1,"f":-1.5,"t":"xxxxxxxx","at":-5}`)
	used := mustBuilder(t, &sample{}, JSON())
	for i := range 200 {
		add(t, used, int64(i), full)
	}
	used.Reset()
	fresh := mustBuilder(t, &sample{}, JSON())
	for _, b := range []*Builder{used, fresh} {
		for i, v := range []string{`{}`, `{"b":true,"n":1,"small":1,"f":1,"t":"yyyy","at":true}`, `{"t":"z"}`, string(full)} {
			if b == fresh && i == 1 {
				v = `{"at":true}` // the same flaw, with nothing before it
			}
			add(t, b, int64(i), []byte(v))
		}
	}
	one, two := used.Batch(), fresh.Batch()
	for c := range int(one.NumCols()) - 1 { // less _raw, which differs
		for i, buffer := range one.Column(c).Data().Buffers() {
			other := two.Column(c).Data().Buffers()[i]
			if buffer == nil || other == nil {
				if buffer != other {
					t.Errorf("column %s has buffer %d in one batch only", one.ColumnName(c), i)
				}
				continue
			}
			got, want := buffer.Bytes(), other.Bytes()
			if one.ColumnName(c) == "b" || i == 0 { // bits, of which four are rows
				got, want = []byte{got[0] & 15}, []byte{want[0] & 15}
			}
			if string(got) != string(want) {
				t.Errorf("column %s, buffer %d is % x, want % x", one.ColumnName(c), i, got, want)
			}
		}
	}
}

func TestAbsentValue(t *testing.T) {
	b := mustBuilder(t, &sample{}, JSON())
	if got := decodeOne(t, b, nil); got != "flaw: the value is absent" {
		t.Error(got)
	}
	if got := decodeOne(t, b, []byte{}); got != "flaw: JSON, byte 0: expected an object, but the value ends" {
		t.Error(got)
	}
}

// TestBatchLifetime holds batches to what Batch and Take promise.
func TestBatchLifetime(t *testing.T) {
	b := mustBuilder(t, &sample{}, JSON())
	add(t, b, 0, []byte(`{"t":"first"}`))
	before := b.Batch()
	for i := range 5000 {
		add(t, b, int64(i), []byte(`{"t":"more","n":"flaw"}`))
	}
	if before.NumRows() != 1 || show(before, 0) != `t="first"` {
		t.Errorf("records added later changed a batch: %s", show(before, 0))
	}
	taken := b.Take()
	if b.Len() != 0 {
		t.Errorf("%d rows are left after Take", b.Len())
	}
	for range 3 {
		b.Reset()
		for i := range 6000 {
			add(t, b, int64(i), []byte(`{"t":"third","b":true}`))
		}
	}
	if taken.NumRows() != 5001 || show(taken, 0) != `t="first"` ||
		show(taken, 5000) != `flaw: column n: found "flaw", expected an integer` {
		t.Errorf("a batch that was taken changed: %s, %s", show(taken, 0), show(taken, 5000))
	}
}

func TestFull(t *testing.T) {
	b := mustBuilder(t, &struct {
		N int64 `spill:"n"`
	}{}, mustAvro(t, `{"type":"record","name":"R","fields":[{"name":"n","type":"long"}]}`))
	value := AppendLong(nil, 1)
	for i := range MaxRows {
		add(t, b, int64(i), value)
	}
	if err := b.Add(context.Background(), 3, 0, 0, value); err != ErrFull {
		t.Errorf("a row too many: %v", err)
	}
	b.Reset()
	add(t, b, 0, value)
	b.volume = MaxBytes - 1 // as if the row had been so long
	add(t, b, 1, value)
	if err := b.Add(context.Background(), 3, 0, 0, value); err != ErrFull {
		t.Errorf("a byte too many: %v", err)
	}
	if b.Len() != 2 {
		t.Errorf("%d rows, want 2", b.Len())
	}
	b.Reset()
	add(t, b, 1, value)
	add(t, b, 2, value)
}

// TestHugeTextIsNotKept sees to it that one huge record does not hold its memory for ever.
func TestHugeTextIsNotKept(t *testing.T) {
	b := mustBuilder(t, &sample{}, JSON())
	add(t, b, 0, []byte(`"`+strings.Repeat("x", 2*hugeText)+`"`))
	b.Reset()
	for range 2 {
		add(t, b, 0, []byte(`{}`))
		b.Reset()
	}
	if n := cap(b.raw.text); n > hugeText {
		t.Errorf("%d bytes are kept", n)
	}
}

// TestNoAllocations is the sixth invariant, flaws and nulls included.
func TestNoAllocations(t *testing.T) {
	asJSON, asAvro, asFramed := payments(1000)
	asJSON[5] = []byte(`{"id":"p","amount":"12","card":"c"}`)
	asJSON[6] = []byte(`{"id":"\u00e4\ud83d\ude00","amount":1.7976931348623157e308,"at":"1969-12-31T23:59:59.9999999+01:00"}`)
	asJSON[7] = []byte(`{"id":nil}`)
	asAvro[5], asAvro[6] = asAvro[5][:20], append(asAvro[6], 0)
	asFramed[5], asFramed[6] = asFramed[5][:20], []byte("no frame")
	ctx := context.Background()
	for name, c := range map[string]struct {
		format Format
		values [][]byte
	}{
		"json":      {JSON(), asJSON},
		"avro":      {mustAvro(t, paymentAvro), asAvro},
		"confluent": {Confluent(schemas{paymentID: paymentAvro}), asFramed},
	} {
		b := mustBuilder(t, &payment{}, c.format)
		allocs := testing.AllocsPerRun(5, func() {
			b.Reset()
			for i, v := range c.values {
				if err := b.Add(ctx, 0, int64(i), 0, v); err != nil {
					t.Fatal(err)
				}
			}
		})
		if allocs != 0 {
			t.Errorf("%s: %v allocations for %d records", name, allocs, len(c.values))
		}
		if flaws := b.rows - b.fault.nulls; flaws < 2 {
			t.Errorf("%s: %d flaws, want at least 2", name, flaws)
		}
	}
}
