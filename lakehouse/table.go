package lakehouse

import (
	"fmt"
	"iter"

	"github.com/apache/iceberg-go/table"

	"github.com/spillway-go/spillway/internal/fault"
)

// Table is an Iceberg table of the lake.
type Table struct {
	lake       *Lake
	id         table.Identifier
	thing      string // what errors call it
	timeColumn string
}

// Name is the table's name with its namespace before it, as in raw.payments.
func (t *Table) Name() string { return joined(t.id) }

// ancestry walks from a snapshot (nil: from none) to its oldest ancestor that is still known.
func ancestry(tbl *table.Table, s *table.Snapshot) iter.Seq[*table.Snapshot] {
	return func(yield func(*table.Snapshot) bool) {
		for steps := len(tbl.Metadata().Snapshots()); s != nil && steps > 0; steps-- {
			if !yield(s) || s.ParentSnapshotID == nil {
				return
			}
			s = tbl.SnapshotByID(*s.ParentSnapshotID)
		}
	}
}

// summary is what the snapshot's writer wrote about it.
func summary(s *table.Snapshot) map[string]string {
	if s == nil || s.Summary == nil {
		return nil
	}
	return s.Summary.Properties
}

// inSummaries is the ledger of the newest snapshot of ours at or before s, or nil; whole tells whether the walk saw
// every snapshot there ever was, none of them expired.
func inSummaries(tbl *table.Table, s *table.Snapshot) (g *ledger, whole bool, err error) {
	whole = s == nil
	for a := range ancestry(tbl, s) {
		if text := summary(a)[propFrontier]; text != "" {
			g, err = parseLedger(text)
			return g, false, err
		}
		whole = a.ParentSnapshotID == nil
	}
	return nil, whole, nil
}

// committed is the archive's ledger as the table stands, checked against itself (L2).
func committed(tbl *table.Table, thing string) (*ledger, error) {
	broken := func(err error) error {
		return fault.Wrap(err, thing, "its record of what was archived cannot be read",
			"use the program that wrote it, or restore the table")
	}
	now := tbl.CurrentSnapshot()
	inSummary, whole, err := inSummaries(tbl, now)
	if err != nil {
		return nil, broken(err)
	}
	var inProps *ledger
	if text := tbl.Properties()[propFrontier]; text != "" {
		if inProps, err = parseLedger(text); err != nil {
			return nil, broken(err)
		}
	}
	switch {
	case inProps == nil && inSummary == nil:
		if total := summary(now)["total-records"]; now != nil && total != "0" {
			return nil, fault.New(thing, fmt.Sprintf("holds %s rows that spillway did not archive", total),
				"move them elsewhere: their offsets are unknown")
		}
		return &ledger{Partitions: map[int32]Span{}}, nil
	case inSummary == nil && whole:
		return nil, rolledBack(thing, 0, inProps)
	case inSummary == nil:
		return inProps, nil // Every snapshot of ours has expired, and the property outlives them.
	case inProps == nil || inProps.Commit < inSummary.Commit:
		return inSummary, nil // Somebody reset the property; the rows are there.
	case inProps.Commit > inSummary.Commit:
		return nil, rolledBack(thing, inSummary.Commit, inProps)
	}
	return inProps, nil
}

func rolledBack(thing string, at int64, promised *ledger) error {
	return fault.New(thing, fmt.Sprintf("was rolled back to commit %d, and commit %d had been promised:"+
		" rows up to %s are no longer in it", at, promised.Commit, promised.frontier()),
		"roll it forward again, or drop the table and archive the topic from its start")
}
