package batch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"

	"github.com/spillway-go/spillway/batch/duckdb"
	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/lakehouse"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/expr"
)

// History is the archive of a plan's source at one snapshot, open for reading. It belongs to one goroutine.
type History struct {
	deps    Deps
	plan    *pipeline.Plan
	snap    *lakehouse.Snapshot
	db      *duckdb.DB
	temp    string // the folder that queries spill to
	log     *arrow.Schema
	files   []lakehouse.File // all
	columns []duckdb.Column  // the log's, as the files have them
	used    []int            // the source's columns that the plan's expressions read

	inFileOrder *duckdb.DB // nil until it is needed

	copiesOf lakehouse.Range         // the times of which the table of copies has all
	copies   int64                   // how many those are
	copied   map[coordinate]struct{} // they again, if they are not too many
}

// Open opens the archive of the plan's source at a snapshot (0: the newest). The caller closes it. Errors are faults, as
// those of Run.
func Open(ctx context.Context, plan *pipeline.Plan, snapshot int64, deps Deps) (*History, error) {
	deps.fill()
	table, err := deps.Lake.ReadArchive(ctx, plan.Source.Name)
	if err != nil {
		return nil, err
	}
	h := &History{deps: deps, plan: plan, log: plan.Source.Schema.Log(), used: columnsRead(plan)}
	if h.snap, err = table.Snapshot(ctx, snapshot); err != nil {
		return nil, err
	}
	if h.snap.ID == 0 {
		return nil, fault.New("table "+table.Name(), "is empty", "archive the topic "+plan.Source.Name+" first")
	}
	if h.columns, err = h.columnsOf(); err != nil {
		return nil, err
	}
	if h.files, err = h.snap.Files(ctx, lakehouse.Everything); err != nil {
		return nil, err
	}
	if err := h.checkCount(); err != nil {
		return nil, err
	}
	if h.db, h.temp, err = deps.database(); err != nil {
		return nil, err
	}
	return h, nil
}

// Close gives back what the history holds.
func (h *History) Close() error {
	h.db.Close()
	if h.inFileOrder != nil {
		h.inFileOrder.Close()
	}
	return os.RemoveAll(h.temp)
}

// Snapshot is the snapshot that is read.
func (h *History) Snapshot() *lakehouse.Snapshot { return h.snap }

// columnsOf finds the log's columns in the table.
func (h *History) columnsOf() ([]duckdb.Column, error) {
	thing := "table " + h.snap.Table()
	have, err := h.snap.Columns()
	if err != nil {
		return nil, err
	}
	var columns []duckdb.Column
	var faults fault.List
	for _, f := range h.log.Fields() {
		at := slices.IndexFunc(have, func(c lakehouse.Column) bool { return c.Name == f.Name })
		switch {
		case at < 0:
			faults.Add(fault.New(thing, fmt.Sprintf("has no column %q, which the pipeline %s reads", f.Name, h.plan.Name),
				"archive the topic with this definition, or remove the column from it"))
		case !arrow.TypeEqual(have[at].Type, f.Type):
			faults.Add(fault.New(thing, fmt.Sprintf("column %q holds %s, and the pipeline %s reads %s",
				f.Name, have[at].Type, h.plan.Name, f.Type), "give the column of the new type a new name"))
		default:
			columns = append(columns, duckdb.Column{ID: have[at].ID, Name: f.Name, Type: f.Type})
		}
	}
	return columns, faults.Err()
}

// checkCount holds the files to what the archive's commits promised (B1).
func (h *History) checkCount() error {
	have, want := rowsOf(h.files), int64(0)
	for _, s := range h.snap.Spans {
		want += s.Rows
	}
	if have != want {
		return fault.New("table "+h.snap.Table(), fmt.Sprintf(
			"holds %d records at snapshot %d, and %d were archived: someone else changed it", have, h.snap.ID, want),
			"read a snapshot from before the change, or archive the topic anew")
	}
	return nil
}

// columnsRead are the source's columns that the plan's expressions read, rising. An engine evaluates all of them, whatever
// it computes: one that overflows makes its record invalid.
func columnsRead(plan *pipeline.Plan) []int {
	var read []int
	var walk func(n *expr.Node)
	walk = func(n *expr.Node) {
		if n == nil {
			return
		}
		if n.Op == expr.OpColumn {
			read = append(read, n.Column)
		}
		for _, a := range n.Args {
			walk(a)
		}
	}
	walk(plan.Where)
	for i := range plan.Features {
		walk(plan.Features[i].Agg.Arg)
		walk(plan.Features[i].Agg.Where)
	}
	slices.Sort(read)
	return slices.Compact(read)
}

// overlapping are the files that may hold times of the range.
func overlapping(files []lakehouse.File, r lakehouse.Range) []lakehouse.File {
	var in []lakehouse.File
	for _, f := range files {
		if f.Times.From < r.To && f.Times.To > r.From {
			in = append(in, f)
		}
	}
	return in
}

func rowsOf(files []lakehouse.File) int64 {
	n := int64(0)
	for _, f := range files {
		n += f.Rows
	}
	return n
}

// errEnough ends a query early.
var errEnough = errors.New("enough has been read")

// each runs a query and gives its batches.
func (h *History) each(ctx context.Context, q query, give func(arrow.RecordBatch) error) error {
	sql, err := h.sql(q)
	if err != nil {
		return err
	}
	rows, err := h.db.Query(ctx, sql)
	if err != nil {
		return err
	}
	defer rows.Close()
	for rows.Next() {
		if err := give(rows.Batch()); err != nil {
			if errors.Is(err, errEnough) {
				return nil
			}
			return err
		}
	}
	return rows.Err()
}

func (h *History) progress(doing string, rows, of int64) {
	if h.deps.Progress != nil {
		h.deps.Progress(Progress{doing, rows, of})
	}
}
