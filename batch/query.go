package batch

import (
	"fmt"
	"strings"
	"time"

	"github.com/spillway-go/spillway/batch/duckdb"
	"github.com/spillway-go/spillway/lakehouse"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// query is a SELECT over files of the archive.
type query struct {
	columns []string
	files   []lakehouse.File
	join    string
	where   []string // all of these
	order   string   // what stands behind, as in ORDER BY
}

func (h *History) sql(q query) (string, error) {
	paths := make([]string, len(q.files))
	for i, f := range q.files {
		paths[i] = f.Path
	}
	from, err := duckdb.Parquet(paths, h.columns)
	if err != nil {
		return "", err
	}
	parts := []string{"SELECT " + strings.Join(q.columns, ", ") + " FROM " + from}
	if q.join != "" {
		parts = append(parts, q.join)
	}
	if len(q.where) > 0 {
		parts = append(parts, "WHERE "+and(q.where))
	}
	return strings.Join(append(parts, q.order), " "), nil
}

func and(conditions []string) string { return strings.Join(conditions, " AND ") }

// name is the quoted name of a column of the source.
func (h *History) name(column int) string {
	return duckdb.Name(h.plan.Source.Schema.Fields[column].Name)
}

func (h *History) key() string  { return h.name(h.plan.Source.Key) }
func (h *History) time() string { return h.name(h.plan.Source.Time) }

// The columns that spillway adds to a source's, quoted.
var (
	partitionName = duckdb.Name(schema.PartitionColumn)
	offsetName    = duckdb.Name(schema.OffsetColumn)
	stampName     = duckdb.Name(schema.StampColumn)
	faultName     = duckdb.Name(schema.FaultColumn)
)

// The bounds of valid times (S3), both included: Go's zero time is none.
var (
	firstTime = schema.Micros(time.Time{}) + 1
	lastTime  = schema.Micros(time.Date(9999, 12, 31, 23, 59, 59, 999_999_000, time.UTC))
)

// valid are the conditions of S3 on a record, but for one that only the kernel can judge: that no whole number overflows.
func (h *History) valid() []string {
	src := &h.plan.Source
	conditions := []string{faultName + " IS NULL", h.key() + " IS NOT NULL"}
	if src.ID >= 0 {
		conditions = append(conditions, h.name(src.ID)+" IS NOT NULL")
	}
	return append(conditions,
		fmt.Sprintf("%s BETWEEN %s AND %s", h.time(), duckdb.Time(firstTime), duckdb.Time(lastTime)),
		// Conditions are tried in any order, so this one must not overflow where the one before is not true.
		fmt.Sprintf("epoch_us(greatest(%s, %s)) - %d <= epoch_us(%s)",
			h.time(), duckdb.Time(firstTime), src.Ahead, stampName))
}

// within are the conditions that a valid time lies in the range.
func (h *History) within(r lakehouse.Range) []string {
	if r.From > lastTime || r.To <= firstTime {
		return []string{"false"}
	}
	var conditions []string
	if r.From > firstTime {
		conditions = append(conditions, h.time()+" >= "+duckdb.Time(r.From))
	}
	if r.To <= lastTime {
		conditions = append(conditions, h.time()+" < "+duckdb.Time(r.To))
	}
	return conditions
}

// sorted is the order in which a fold takes records, and the lake keeps them.
func (h *History) sorted() string {
	return fmt.Sprintf("ORDER BY %s, %s NULLS FIRST, %s, %s", h.key(), h.time(), partitionName, offsetName)
}

// reading are the columns, as SQL and by name, that the kernel needs of a valid record whatever it computes: key, time,
// what the plan's expressions read, others that the caller names, partition and offset.
func (h *History) reading(others ...int) (columns, names []string) {
	src := &h.plan.Source
	taken := map[int]bool{}
	for _, list := range [][]int{{src.Key, src.Time}, h.used, others} {
		for _, c := range list {
			if !taken[c] {
				taken[c] = true
				names = append(names, src.Schema.Fields[c].Name)
			}
		}
	}
	names = append(names, schema.PartitionColumn, schema.OffsetColumn)
	for _, n := range names {
		columns = append(columns, duckdb.Name(n))
	}
	return columns, names
}
