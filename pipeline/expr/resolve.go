package expr

import (
	"fmt"
	"regexp"

	"github.com/spillway-go/spillway/internal/fault"
)

// Limit is how many operations, columns and constants one expression may have, those of the Select it uses included. It
// keeps a definition that builds expressions in a loop from exhausting memory.
const Limit = 4096

// Resolver turns what users build into what engines run: it replaces columns, and finds every fault of an expression.
type Resolver struct {
	// Column gives the expression that a column stands for, or its fault, which needs no place. Both are nil for a column whose own expression is
	// at fault, which has been said already.
	Column func(*Node) (*Node, *fault.Error)
	// Faults are those of all expressions resolved so far.
	Faults []*fault.Error

	functions map[string]*Node // the first call of each name
	left      int
}

// Resolve copies the tree with its columns replaced. The result is nil when the tree is or has a fault. At is the place of
// a node that does not know its own.
func (r *Resolver) Resolve(n *Node, at fault.Pos) *Node {
	if n == nil {
		return nil
	}
	r.left = Limit
	found := len(r.Faults)
	resolved := r.resolve(n, at)
	if r.left < 0 {
		r.Faults = append(r.Faults[:found], fault.New("expression", fmt.Sprintf("has more than %d parts", Limit),
			"write it as a Go function and use expr.Call").At(place(n, at)))
		return nil
	}
	if len(r.Faults) > found {
		return nil
	}
	return resolved
}

func (r *Resolver) resolve(n *Node, at fault.Pos) *Node {
	at = place(n, at)
	if r.left--; r.left < 0 {
		return nil
	}
	switch n.Op {
	case OpInvalid:
		r.Faults = append(r.Faults, fault.New("expression", "is the zero Expr, which says nothing",
			"make it with expr.Col, expr.Lit or an operation on them").At(at))
		return nil
	case OpColumn:
		return r.column(n, at)
	case OpCall:
		r.checkCall(n, at)
	}
	c := *n
	c.Args = make([]*Node, len(n.Args))
	whole := true
	for i, a := range n.Args {
		c.Args[i] = r.resolve(a, at)
		whole = whole && c.Args[i] != nil
		if whole && n.Op == OpCall && n.Func.small[i] {
			c.Args[i] = fit(c.Args[i])
		}
	}
	if !whole {
		return nil
	}
	return &c
}

func (r *Resolver) column(n *Node, at fault.Pos) *Node {
	c, err := r.Column(n)
	if err != nil {
		r.Faults = append(r.Faults, err.At(at))
		return nil
	}
	if c != nil {
		r.left -= size(c) - 1
	}
	return c
}

var callForm = regexp.MustCompile(`^[a-z][a-z0-9_]*/v[1-9][0-9]*$`)

func (r *Resolver) checkCall(n *Node, at fault.Pos) {
	thing := fmt.Sprintf("function %q", n.Func.Name)
	if !callForm.MatchString(n.Func.Name) {
		r.Faults = append(r.Faults, fault.New(thing, "its name has no version, or a form that plans cannot carry",
			`name it as in "risky_bin/v1", and raise the version when its answers change`).At(at))
	}
	if n.Func.Missing {
		r.Faults = append(r.Faults, fault.New(thing, "is nil", "pass a function").At(at))
	}
	if r.functions == nil {
		r.functions = map[string]*Node{}
	}
	first, known := r.functions[n.Func.Name]
	if !known {
		r.functions[n.Func.Name] = n
	} else if !first.Func.same(n.Func) {
		r.Faults = append(r.Faults, fault.New(thing, "is another function at "+first.Pos.String()+", with other types",
			"give each a name of its own").At(at))
	}
}

func place(n *Node, otherwise fault.Pos) fault.Pos {
	if n.Pos.Known() {
		return n.Pos
	}
	return otherwise
}

// size is the number of nodes of a resolved tree, which Limit bounds.
func size(n *Node) int {
	s := 1
	for _, a := range n.Args {
		s += size(a)
	}
	return s
}
