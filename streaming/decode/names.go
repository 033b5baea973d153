package decode

import "github.com/spillway-go/spillway/pipeline/schema"

// names finds the column that a member of an object names. Names of equal length and ends share a chain, which real
// schemas keep short.
type names struct {
	heads [64]int32 // the first column of each chain, or -1
	next  []int32   // the column after it, or -1
	names []string
}

func newNames(fields []schema.Field) names {
	n := names{next: make([]int32, len(fields))}
	for i := range n.heads {
		n.heads[i] = -1
	}
	for i, f := range fields {
		n.names = append(n.names, f.Name)
		slot := n.slot([]byte(f.Name))
		n.next[i], n.heads[slot] = n.heads[slot], int32(i)
	}
	return n
}

func (n *names) slot(name []byte) int {
	if len(name) == 0 {
		return 0
	}
	return (len(name)*5 + int(name[0])*3 + int(name[len(name)-1])) % len(n.heads)
}

// find is the index of the column, or -1.
func (n *names) find(name []byte) int {
	c := n.heads[n.slot(name)]
	for c >= 0 && n.names[c] != string(name) {
		c = n.next[c]
	}
	return int(c)
}
