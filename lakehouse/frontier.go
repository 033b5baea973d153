package lakehouse

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Frontier says how far a log was read: for each partition, the offset of the next record. A partition that it does not
// name was not begun.
type Frontier map[int32]int64

// String lists the partitions in order, as 0:17 1:4.
func (f Frontier) String() string {
	var b strings.Builder
	for i, p := range slices.Sorted(maps.Keys(f)) {
		if i > 0 {
			b.WriteByte(' ')
		}
		fmt.Fprintf(&b, "%d:%d", p, f[p])
	}
	if b.Len() == 0 {
		return "nothing"
	}
	return b.String()
}

// Span is what an archive holds of one partition: Rows records with offsets from Start up to but not including Next. The
// offsets that have no row are those that Kafka gives to no record: transaction markers, aborted and compacted ones.
type Span struct {
	Start int64 `json:"start"`
	Next  int64 `json:"next"`
	Rows  int64 `json:"rows"`
}

// ledgerVersion is the form of ledgers that this code writes. Readers ignore members that they do not know and refuse a
// higher version, so a member may be added and a meaning must not change.
const ledgerVersion = 1

// ledger is a frontier as tables keep it, in properties and summaries, as JSON.
type ledger struct {
	Version    int            `json:"version"`
	Commit     int64          `json:"commit,omitempty"` // counts the archive's commits, from 1
	Partitions map[int32]Span `json:"partitions"`
}

func (g *ledger) frontier() Frontier {
	f := make(Frontier, len(g.Partitions))
	for p, s := range g.Partitions {
		f[p] = s.Next
	}
	return f
}

func (g *ledger) text() string {
	g.Version = ledgerVersion
	b, err := json.Marshal(g)
	if err != nil {
		panic(err) // A ledger holds whole numbers only.
	}
	return string(b)
}

// parseLedger reads what text wrote; a text that is not a ledger is an error, never an empty one.
func parseLedger(text string) (*ledger, error) {
	var g ledger
	if err := json.Unmarshal([]byte(text), &g); err != nil {
		return nil, fmt.Errorf("the frontier %q cannot be read: %w", text, err)
	}
	if g.Version < 1 || g.Version > ledgerVersion {
		return nil, fmt.Errorf("the frontier has the version %d, and this program knows up to %d", g.Version, ledgerVersion)
	}
	for p, s := range g.Partitions {
		if p < 0 || s.Start < 0 || s.Next < s.Start || s.Rows < 0 || s.Rows > s.Next-s.Start {
			return nil, fmt.Errorf("the frontier says of partition %d: start %d, next %d, rows %d", p, s.Start, s.Next, s.Rows)
		}
	}
	if g.Partitions == nil {
		g.Partitions = map[int32]Span{}
	}
	return &g, nil
}
