package hostile

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/spillway-go/spillway/pipeline/pipelinetest/fixture"
)

// Plan makes a plan at random. It computes at least one feature live.
func Plan(r *rand.Rand) fixture.Plan {
	p := fixture.Plan{
		Nameless:    r.IntN(8) == 0,
		OutOfOrder:  one(r, 0, 0, time.Second, 5*time.Second, 10*time.Second, 2500*time.Millisecond),
		Lateness:    one(r, 0, time.Second, 10*time.Second, 30*time.Second, 10*time.Minute),
		Ahead:       one(r, 10*time.Minute, 10*time.Minute, 10*time.Second, 0),
		SkipNullKey: r.IntN(4) == 0,
	}
	if r.IntN(3) == 0 {
		p.Where = predicate(r, 2)
	}
	longest := 60 * time.Second
	if r.IntN(2) == 0 {
		p.Every = one(r, time.Second, 2*time.Second, 5*time.Second, 7*time.Second, 10*time.Second, 30*time.Second)
		longest = 8 * p.Every // so that an event concerns few ticks
	}
	n := one(r, 1, 2, 2, 3, 3, 10)
	for i := range n {
		text := ""
		if n == 10 {
			text = wideFeature(r, i)
		} else {
			text = anyFeature(r)
		}
		text += " " + windowText(r, longest)
		if i != 0 && r.IntN(5) == 0 {
			text += " historical"
		}
		p.Features = append(p.Features, text)
	}
	return p
}

// one picks one of the choices.
func one[T any](r *rand.Rand, choices ...T) T { return choices[r.IntN(len(choices))] }

func windowText(r *rand.Rand, longest time.Duration) string {
	d := one(r, time.Microsecond, time.Second, 3*time.Second, 7500*time.Millisecond, 10*time.Second, 20*time.Second, 60*time.Second)
	d = min(d, longest)
	text := fmt.Sprintf("last %v", d)
	tile := one(r, time.Second, 2*time.Second, 7*time.Second, 10*time.Second, 30*time.Second)
	if tile <= d && r.IntN(2) == 0 {
		text += fmt.Sprintf(" tile %v", tile)
	}
	return text
}

// anyFeature is a feature of any type that plans of up to three features have fields for, without its window.
func anyFeature(r *rand.Rand) string {
	switch r.IntN(8) {
	case 0, 1:
		return countFeature(r)
	case 2:
		return fmt.Sprintf("%s(%s)%s", one(r, "sum", "min", "max", "first", "last"), whole(r, 1), where(r))
	case 3:
		return fmt.Sprintf("%s(m)%s", one(r, "sum", "min", "max", "first", "last"), where(r))
	case 4:
		return fmt.Sprintf("%s(%s)%s", one(r, "min", "max", "first", "last"), text(r), where(r))
	case 5:
		return fmt.Sprintf("%s(%s)%s", one(r, "min", "max", "first", "last"), one(r, "u", "at", predicate(r, 1)), where(r))
	case 6:
		return floatFeature(r) + one(r, " else 0", " else -1.5")
	}
	return floatFeature(r)
}

func countFeature(r *rand.Rand) string {
	switch r.IntN(3) {
	case 0:
		return "count()" + where(r)
	case 1:
		return fmt.Sprintf("%s(%s)%s", one(r, "count_of", "distinct"), float(r, 1), where(r))
	}
	return fmt.Sprintf("%s(%s)%s", one(r, "count_of", "distinct"), one(r, "s", "n", "m", "b", "u", "at", "key"), where(r))
}

func floatFeature(r *rand.Rand) string {
	switch r.IntN(6) {
	case 0:
		return fmt.Sprintf("share(%s)%s", predicate(r, 1), where(r))
	case 1:
		arg := one(r, "n", "m", float(r, 1))
		return fmt.Sprintf("slope(%s, %v)%s", arg, one(r, time.Microsecond, time.Second, time.Minute, 13*time.Hour), where(r))
	case 2:
		op := one(r, "mean", "variance", "variance_pop", "stddev", "stddev_pop")
		return fmt.Sprintf("%s(%s)%s", op, one(r, "n", "m", whole(r, 1)), where(r))
	}
	op := one(r, "sum", "sum", "mean", "min", "max", "first", "last", "variance", "variance_pop", "stddev", "stddev_pop")
	return fmt.Sprintf("%s(%s)%s", op, float(r, 1), where(r))
}

// wideFeature is feature i of a plan of ten, which has fields of these types.
func wideFeature(r *rand.Rand, i int) string {
	switch i {
	case 0:
		return countFeature(r)
	case 2:
		return floatFeature(r) + " else -0"
	case 3:
		return "sum(" + whole(r, 1) + ")"
	case 4:
		return "sum(m) else -7"
	case 5:
		return "max(" + text(r) + ")"
	case 6:
		return "last(" + text(r) + `) else "nothing"`
	case 8:
		return "min(u)"
	case 9:
		return "first(b) else true"
	}
	return floatFeature(r)
}

func where(r *rand.Rand) string {
	if r.IntN(4) != 0 {
		return ""
	}
	return " where " + predicate(r, 1)
}

// The expressions below are nested at most depth deep.

func float(r *rand.Rand, depth int) string {
	if depth == 0 || r.IntN(3) > 0 {
		return one(r, "x", "x", "x", "y")
	}
	a, b := float(r, depth-1), float(r, depth-1)
	switch r.IntN(8) {
	case 0, 1:
		return fmt.Sprintf("(%s %s %s)", a, one(r, "+", "-", "*", "/"), one(r, b, "3", "0.1", "-1e10"))
	case 2:
		return "-" + a
	case 3:
		return one(r, "float(n)", "float(m)")
	case 4:
		return fmt.Sprintf("if(%s, %s, %s)", predicate(r, depth-1), a, one(r, b, "0.5"))
	case 5:
		return fmt.Sprintf("if_null(%s, %s)", a, one(r, b, "-0"))
	case 6:
		return fmt.Sprintf("half_after(%s, %s, u)", predicate(r, depth-1), a)
	}
	return fmt.Sprintf("square(%s)", a)
}

func whole(r *rand.Rand, depth int) string {
	if depth == 0 || r.IntN(3) > 0 {
		return "n"
	}
	a, b := whole(r, depth-1), whole(r, depth-1)
	switch r.IntN(5) {
	case 0, 1:
		return fmt.Sprintf("(%s %s %s)", a, one(r, "+", "-", "*", "/"), one(r, b, "3", "-1", "0"))
	case 2:
		return fmt.Sprintf("if(%s, %s, %s)", predicate(r, depth-1), a, b)
	case 3:
		return fmt.Sprintf("length(%s)", text(r))
	}
	return fmt.Sprintf("if_null(%s, -%s)", a, b)
}

func text(r *rand.Rand) string {
	return one(r, "s", "s", "s", "key", `concat(s, "é")`, `if_null(s, "-")`)
}

func predicate(r *rand.Rand, depth int) string {
	if depth > 0 && r.IntN(3) == 0 {
		a, b := predicate(r, depth-1), predicate(r, depth-1)
		return one(r, fmt.Sprintf("(%s and %s)", a, b), fmt.Sprintf("(%s or %s)", a, b), fmt.Sprintf("not (%s)", a))
	}
	compare := one(r, "=", "<>", "<", "<=", ">", ">=")
	switch r.IntN(7) {
	case 0:
		return "b"
	case 1:
		return fmt.Sprintf("x %s %s", compare, one(r, "0", "y", "1.5", "1e300"))
	case 2:
		return fmt.Sprintf("n %s %s", compare, one(r, "2", "-1", "n"))
	case 3:
		return fmt.Sprintf("m %s 1", compare)
	case 4:
		return fmt.Sprintf("s %s %s", compare, one(r, `"b"`, `"é"`, "key"))
	case 5:
		return fmt.Sprintf("u %s %s", compare, one(r, "@0", "@-1.5", "at"))
	}
	return fmt.Sprintf("is_null(%s)", one(r, "x", "n", "s", "u", "b"))
}
