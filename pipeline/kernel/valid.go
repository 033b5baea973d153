package kernel

import (
	"fmt"
	"time"

	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// The bounds of event times: years 1 to 9999, which every format can write. Go's zero time, the first moment of year 1,
// is how an unset time looks and no time.
var (
	zeroTime = schema.Micros(time.Time{})
	lastTime = schema.Micros(time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC))
)

func (p *Program) keyReg() int  { return 0 }
func (p *Program) timeReg() int { return 1 }
func (p *Program) idReg() int   { return 2 }

// column gives the key, the time and the id the first registers, in this order.
func (p *Program) column(c int) {
	f := &p.plan.Source.Schema.Fields[c]
	p.steps.add(&expr.Node{Op: expr.OpColumn, Kind: f.Kind, Column: c})
}

// validate finds what makes a record invalid (S3), in the order: undecodable, no key, no time, no id, a time that is none
// or too far ahead of the record's own timestamp, a whole number that does not fit. OnTime means that it is valid.
func (t *Task) validate(i int) (Class, string) {
	src := &t.prog.plan.Source
	if f := t.columns.fault; f != nil && f.IsValid(i) {
		return Dead, f.Value(i)
	}
	name := func(c int) string { return src.Schema.Fields[c].Name }
	if !t.regs.v[t.prog.keyReg()].ok(i) {
		if src.SkipNullKey {
			return Filtered, ""
		}
		return Dead, fmt.Sprintf("the key %q is null", name(src.Key))
	}
	if !t.regs.v[t.prog.timeReg()].ok(i) {
		return Dead, fmt.Sprintf("the time %q is null", name(src.Time))
	}
	if src.ID >= 0 && !t.regs.v[t.prog.idReg()].ok(i) {
		return Dead, fmt.Sprintf("the id %q is null", name(src.ID))
	}
	at, stamp := t.regs.v[t.prog.timeReg()].i[i], t.columns.stamp[i]
	switch {
	case at == zeroTime:
		return Dead, fmt.Sprintf("the time %q is 0001-01-01T00:00:00Z, which is an unset time", name(src.Time))
	case at < zeroTime || at > lastTime:
		return Dead, fmt.Sprintf("the time %q, %d µs from 1970, is outside the years 1 to 9999", name(src.Time), at)
	case at > stamp && at-stamp > src.Ahead:
		return Dead, fmt.Sprintf("the time %q, %s, is %v ahead of the record's timestamp %s, and %v are allowed",
			name(src.Time), clockTime(at), micros(at-stamp), clockTime(stamp), micros(src.Ahead))
	}
	if t.regs.overflow != nil && t.regs.overflow[i] != 0 {
		n := t.prog.steps.nodes[t.regs.overflow[i]-1]
		return Dead, fmt.Sprintf("the result of %s does not fit a 64-bit whole number", n.Text(name))
	}
	return OnTime, ""
}

func clockTime(us int64) string { return time.UnixMicro(us).UTC().Format(time.RFC3339Nano) }

func micros(us int64) time.Duration { return time.Duration(us) * time.Microsecond }
