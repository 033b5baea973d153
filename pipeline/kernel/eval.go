package kernel

import (
	"bytes"
	"cmp"
	"fmt"
	"math"
	"math/bits"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// steps evaluates a set of expressions over a batch: each different node once, into a register of its own, arguments
// before what needs them.
type steps struct {
	nodes []*expr.Node
	args  [][]int
	index map[string]int // register by canonical text
	names func(int) string
}

func newSteps(names func(int) string) *steps {
	return &steps{index: map[string]int{}, names: names}
}

// add gives the register of the expression; -1 is that of none.
func (s *steps) add(n *expr.Node) int {
	if n == nil {
		return -1
	}
	key := n.Kind.String() + " " + n.Text(s.names)
	if r, ok := s.index[key]; ok {
		return r
	}
	args := make([]int, len(n.Args))
	for i, a := range n.Args {
		args[i] = s.add(a)
	}
	s.nodes = append(s.nodes, n)
	s.args = append(s.args, args)
	s.index[key] = len(s.nodes) - 1
	return len(s.nodes) - 1
}

// registers holds the values of the expressions over one batch; its memory serves every batch.
type registers struct {
	steps    *steps
	v        []vector
	overflow []int32 // per row, 1 + the register whose result did not fit; nil when all fit
	spill    []int32
	datums   []expr.Datum
}

func newRegisters(s *steps) *registers {
	r := &registers{steps: s, v: make([]vector, len(s.nodes)), datums: make([]expr.Datum, 4)}
	for i, n := range s.nodes {
		v := &r.v[i]
		v.kind = n.Kind
		if n.Op == expr.OpLiteral {
			v.b, v.i, v.f = []bool{n.Lit.I != 0}, []int64{n.Lit.I}, []float64{n.Lit.F}
			v.end, v.bytes = []int32{0, int32(len(n.Lit.S))}, []byte(n.Lit.S)
		}
	}
	return r
}

// run evaluates everything over the record, whose first columns are the source's.
func (r *registers) run(rec arrow.RecordBatch) (err error) {
	r.overflow = nil
	n := int(rec.NumRows())
	for i, node := range r.steps.nodes {
		switch v := &r.v[i]; node.Op {
		case expr.OpLiteral:
		case expr.OpColumn:
			if err := v.load(rec.Column(node.Column)); err != nil {
				return err
			}
			if v.kind != node.Kind {
				return fmt.Errorf("kernel: column %q holds %s, and the plan reads %s", rec.ColumnName(node.Column), v.kind, node.Kind)
			}
		case expr.OpCall:
			if err := r.call(i, n); err != nil {
				return err
			}
		default:
			r.step(i, n)
		}
	}
	return nil
}

// step evaluates one register from those of its arguments.
func (r *registers) step(reg, n int) {
	node, args, out := r.steps.nodes[reg], r.steps.args[reg], &r.v[reg]
	a := &r.v[args[0]]
	b := a
	if len(args) > 1 {
		b = &r.v[args[1]]
	}
	out.mask = -1
	switch node.Op {
	case expr.OpAdd, expr.OpSub, expr.OpMul, expr.OpDiv, expr.OpNeg:
		out.nulls(n, a, b)
		if out.kind == schema.Int {
			r.whole(node.Op, reg, n, a, b)
		} else {
			float(node.Op, n, a, b, out)
		}
	case expr.OpToFloat:
		out.nulls(n, a, a)
		f := out.floats(n)
		for i := range f {
			f[i] = float64(a.i[i&a.mask])
		}
	case expr.OpEq, expr.OpNe, expr.OpLt, expr.OpLe, expr.OpGt, expr.OpGe:
		out.nulls(n, a, b)
		compare(node.Op, n, a, b, out)
	case expr.OpAnd, expr.OpOr:
		logic(node.Op == expr.OpAnd, n, a, b, out)
	case expr.OpNot:
		out.nulls(n, a, a)
		for i := range out.bools(n) {
			out.b[i] = !a.b[i&a.mask]
		}
	case expr.OpIsNull:
		out.valid = nil
		for i := range out.bools(n) {
			out.b[i] = !a.ok(i)
		}
	case expr.OpIfNull:
		choose(n, out, func(i int) *vector {
			if a.ok(i) {
				return a
			}
			return b
		})
	case expr.OpIf:
		c := &r.v[args[2]]
		choose(n, out, func(i int) *vector {
			if a.ok(i) && a.b[i&a.mask] {
				return b
			}
			return c
		})
	}
}

// nulls makes the result null where a or b is.
func (v *vector) nulls(n int, a, b *vector) {
	v.valid = nil
	if a.valid == nil && b.valid == nil {
		return
	}
	v.own.valid = grow(v.own.valid, n)
	v.valid = v.own.valid
	for i := range n {
		v.valid[i] = a.ok(i) && b.ok(i)
	}
}

func (v *vector) bools(n int) []bool {
	v.own.b = grow(v.own.b, n)
	v.b = v.own.b
	return v.b
}

func (v *vector) floats(n int) []float64 {
	v.own.f = grow(v.own.f, n)
	v.f = v.own.f
	return v.f
}

func (v *vector) ints(n int) []int64 {
	v.own.i = grow(v.own.i, n)
	v.i = v.own.i
	return v.i
}

// null makes one value of a result null.
func (v *vector) null(i, n int) {
	if v.valid == nil {
		v.own.valid = grow(v.own.valid, n)
		v.valid = v.own.valid
		for j := range v.valid {
			v.valid[j] = true
		}
	}
	v.valid[i] = false
}

// float is float arithmetic. The conversions keep the compiler from fusing a product with a sum, which would give arm64
// other bits than amd64.
func float(op expr.Op, n int, a, b, out *vector) {
	f := out.floats(n)
	switch op {
	case expr.OpAdd:
		for i := range f {
			f[i] = float64(a.f[i&a.mask] + b.f[i&b.mask])
		}
	case expr.OpSub:
		for i := range f {
			f[i] = float64(a.f[i&a.mask] - b.f[i&b.mask])
		}
	case expr.OpMul:
		for i := range f {
			f[i] = float64(a.f[i&a.mask] * b.f[i&b.mask])
		}
	case expr.OpDiv:
		for i := range f {
			f[i] = a.f[i&a.mask] / b.f[i&b.mask]
		}
	case expr.OpNeg:
		for i := range f {
			f[i] = -a.f[i&a.mask]
		}
	}
}

// whole is arithmetic of whole numbers. What does not fit is noted, and the record becomes invalid.
func (r *registers) whole(op expr.Op, reg, n int, a, b *vector) {
	v := &r.v[reg]
	out := v.ints(n)
	for i := range out {
		if !v.ok(i) {
			continue
		}
		x, y := a.i[i&a.mask], b.i[i&b.mask]
		fits := true
		switch op {
		case expr.OpAdd:
			out[i] = x + y
			fits = (out[i] > x) == (y > 0)
		case expr.OpSub:
			out[i] = x - y
			fits = (out[i] < x) == (y > 0)
		case expr.OpMul:
			out[i], fits = multiply(x, y)
		case expr.OpDiv:
			if y == 0 {
				v.null(i, n)
				continue
			}
			out[i] = x / y
			fits = x != math.MinInt64 || y != -1
		case expr.OpNeg:
			out[i] = -x
			fits = x != math.MinInt64
		}
		if !fits {
			r.overflowed(i, n, reg)
		}
	}
}

func multiply(x, y int64) (int64, bool) {
	hi, lo := bits.Mul64(magnitude(x), magnitude(y))
	if (x < 0) != (y < 0) {
		return -int64(lo), hi == 0 && lo <= 1<<63
	}
	return int64(lo), hi == 0 && lo < 1<<63
}

func magnitude(x int64) uint64 {
	if x < 0 {
		return -uint64(x)
	}
	return uint64(x)
}

func (r *registers) overflowed(i, n, reg int) {
	if r.overflow == nil {
		r.spill = grow(r.spill, n)
		clear(r.spill)
		r.overflow = r.spill
	}
	if r.overflow[i] == 0 {
		r.overflow[i] = int32(reg + 1)
	}
}

// compare compares by kind: floats in the total order that has NaN last, texts by bytes, false before true.
func compare(op expr.Op, n int, a, b, out *vector) {
	res := out.bools(n)
	switch a.kind {
	case schema.Float:
		for i := range res {
			res[i] = holds(op, compareFloats(a.f[i&a.mask], b.f[i&b.mask]))
		}
	case schema.Text:
		for i := range res {
			res[i] = holds(op, bytes.Compare(a.text(i), b.text(i)))
		}
	case schema.Bool:
		for i := range res {
			res[i] = holds(op, cmp.Compare(bit(a.b[i&a.mask]), bit(b.b[i&b.mask])))
		}
	default:
		for i := range res {
			res[i] = holds(op, cmp.Compare(a.i[i&a.mask], b.i[i&b.mask]))
		}
	}
}

// compareFloats orders floats with NaN equal to itself and above all numbers, and −0 equal to +0 (S4).
func compareFloats(x, y float64) int {
	switch {
	case x < y:
		return -1
	case x > y:
		return 1
	case x == y:
		return 0
	}
	return cmp.Compare(bit(x != x), bit(y != y))
}

func bit(b bool) int64 {
	if b {
		return 1
	}
	return 0
}

func holds(op expr.Op, c int) bool {
	switch op {
	case expr.OpEq:
		return c == 0
	case expr.OpNe:
		return c != 0
	case expr.OpLt:
		return c < 0
	case expr.OpLe:
		return c <= 0
	case expr.OpGt:
		return c > 0
	}
	return c >= 0
}

// logic is AND or OR in three values: the deciding value (false for AND, true for OR) decides even beside a null.
func logic(and bool, n int, a, b, out *vector) {
	res := out.bools(n)
	if a.valid == nil && b.valid == nil {
		out.valid = nil
		for i := range res {
			x, y := a.b[i&a.mask], b.b[i&b.mask]
			res[i] = x && y || !and && (x || y)
		}
		return
	}
	out.own.valid = grow(out.own.valid, n)
	out.valid = out.own.valid
	for i := range res {
		decided := a.ok(i) && a.b[i&a.mask] != and || b.ok(i) && b.b[i&b.mask] != and
		res[i] = decided != and
		out.valid[i] = decided || a.ok(i) && b.ok(i)
	}
}

// begin makes room for n results that are given row by row, in order.
func (v *vector) begin(n int) {
	v.mask = -1
	v.own.valid = grow(v.own.valid, n)
	v.valid = v.own.valid
	v.bools(n)
	v.ints(n)
	v.floats(n)
	v.own.end, v.own.bytes = append(v.own.end[:0], 0), v.own.bytes[:0]
}

// put is the result of row i.
func (v *vector) put(i int, d expr.Datum) {
	v.valid[i] = !d.Null
	v.b[i], v.i[i], v.f[i] = d.I != 0, d.I, d.F
	v.own.bytes = append(v.own.bytes, d.S...)
	v.own.end = append(v.own.end, int32(len(v.own.bytes)))
	v.end, v.bytes = v.own.end, v.own.bytes
}

// datum is value i. Its text lasts as long as the vector's.
func (v *vector) datum(i int) expr.Datum {
	j := i & v.mask
	switch {
	case !v.ok(i):
		return expr.Datum{Null: true}
	case v.kind == schema.Bool:
		return expr.Datum{I: bit(v.b[j])}
	case v.kind == schema.Float:
		return expr.Datum{F: v.f[j]}
	case v.kind == schema.Text:
		return expr.Datum{S: asString(v.text(i))}
	}
	return expr.Datum{I: v.i[j]}
}

// choose takes each result from the vector that from names for its row.
func choose(n int, out *vector, from func(i int) *vector) {
	out.begin(n)
	for i := range n {
		out.put(i, from(i).datum(i))
	}
}

// call applies a user's function to each row without nulls. A panic in it stops the run with an error that names it: what
// it did not answer, spillway must not make up.
func (r *registers) call(reg, n int) (err error) {
	node, out := r.steps.nodes[reg], &r.v[reg]
	out.begin(n)
	row := 0
	defer func() {
		if p := recover(); p != nil {
			err = fault.New(fmt.Sprintf("function %q", node.Func.Name), fmt.Sprintf("panicked: %v", p),
				"mend it and raise its version").At(node.Pos)
		}
	}()
	for ; row < n; row++ {
		out.put(row, r.invoke(node.Func, r.steps.args[reg], row))
	}
	return nil
}

// invoke calls the function for one row. Texts are copied first: the function may keep what it is given.
func (r *registers) invoke(fn *expr.Func, args []int, row int) expr.Datum {
	in := r.datums[:len(args)]
	for i, a := range args {
		in[i] = r.v[a].datum(row)
		if in[i].Null {
			return in[i]
		}
		in[i].S = strings.Clone(in[i].S)
	}
	return fn.Call(in)
}
