package lakehouse

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/catalog"
	"github.com/apache/iceberg-go/table"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// The properties that spillway gives its tables. The first three say what a table is, and never change.
const (
	propKind     = "spillway.kind"     // one of the kinds
	propOf       = "spillway.of"       // the topic, or the pipeline and the reading
	propTime     = "spillway.time"     // the column that days and ranges are taken from
	propFrontier = "spillway.frontier" // in the properties and in summaries; see ledger

	kindArchive  = "archive"
	kindFeatures = "features"
)

// layout is what a table of ours must look like.
type layout struct {
	id     table.Identifier
	kind   string
	of     string
	schema *arrow.Schema // of the batches; a field that is not nullable becomes a required column
	order  [4]string     // the columns of the sort order: key, time, partition, offset
	unique string        // a text column without repeated values, which no dictionary helps; "" for none
}

func (y *layout) thing() string { return "table " + strings.Join(y.id, ".") }
func (y *layout) time() string  { return y.order[1] }

// dayField is the name of the partition field. No column of a user's can have it: theirs do not begin with an
// underscore.
const dayField = "_day"

// orderTypes are the types of the columns of the sort order: writing counts on them.
var orderTypes = [4]arrow.DataType{
	arrow.BinaryTypes.String, schema.TimestampType, arrow.PrimitiveTypes.Int32, arrow.PrimitiveTypes.Int64,
}

// sound holds the layout to what a table needs.
func (y *layout) sound() error {
	for i, want := range orderTypes {
		at := y.schema.FieldIndices(y.order[i])
		if len(at) != 1 || !arrow.TypeEqual(y.schema.Field(at[0]).Type, want) {
			return fault.New(y.of, fmt.Sprintf("has no column %q of type %s", y.order[i], want),
				"give the rows a key of text, a time, and their coordinates")
		}
	}
	for _, f := range y.schema.Fields() {
		if _, err := icebergType(f.Type); err != nil {
			return fault.Wrap(err, y.of, "column "+f.Name+" cannot be kept", "use one of the kinds of package schema")
		}
	}
	return nil
}

// ensure is the table, created if it is missing and given the columns that it lacks.
func (l *Lake) ensure(ctx context.Context, y *layout) (*Table, error) {
	if err := y.sound(); err != nil {
		return nil, err
	}
	if err := l.ensureNamespace(ctx, y.id[0]); err != nil {
		return nil, err
	}
	tbl, err := l.load(ctx, y.id)
	if errors.Is(err, catalog.ErrNoSuchTable) {
		if err = l.create(ctx, y); err == nil || errors.Is(err, catalog.ErrTableAlreadyExists) {
			tbl, err = l.load(ctx, y.id)
		}
	}
	if err != nil {
		return nil, l.explain(y.thing(), err)
	}
	t := &Table{lake: l, id: y.id, thing: y.thing(), timeColumn: y.time()}
	missing, err := y.check(tbl)
	if err != nil || len(missing) == 0 {
		return t, err
	}
	_, err = t.commit(ctx, "", func(tbl *table.Table, txn *table.Transaction) error { return y.addColumns(tbl, txn) })
	return t, err
}

func (l *Lake) create(ctx context.Context, y *layout) error {
	var fields []iceberg.NestedField
	for i, f := range y.schema.Fields() {
		typ, err := icebergType(f.Type)
		if err != nil {
			return err
		}
		fields = append(fields, iceberg.NestedField{ID: i + 1, Name: f.Name, Type: typ, Required: !f.Nullable})
	}
	sc := iceberg.NewSchema(0, fields...)
	spec := iceberg.NewPartitionSpec(iceberg.PartitionField{
		SourceIDs: []int{fieldID(sc, y.time())}, FieldID: 1000, Name: dayField, Transform: iceberg.DayTransform{},
	})
	var sorted []table.SortField
	for _, name := range y.order {
		sorted = append(sorted, table.SortField{
			SourceIDs: []int{fieldID(sc, name)}, Transform: iceberg.IdentityTransform{},
			Direction: table.SortASC, NullOrder: table.NullsFirst,
		})
	}
	order, err := table.NewSortOrder(1, sorted)
	if err != nil {
		return err
	}
	_, err = l.cat.CreateTable(ctx, y.id, sc, catalog.WithPartitionSpec(&spec), catalog.WithSortOrder(order),
		catalog.WithProperties(y.properties()))
	return err
}

// properties are those that a new table gets. Commits slow down as old metadata piles up, so manifests are merged and
// all but a few metadata files dropped. Bounds are kept of the columns that readers prune by; those of the others would
// cost more than they save.
func (y *layout) properties() iceberg.Properties {
	p := iceberg.Properties{
		propKind: y.kind, propOf: y.of, propTime: y.time(),
		"format-version":                          "2",
		table.ManifestMergeEnabledKey:             "true",
		table.MetadataPreviousVersionsMaxKey:      "20",
		table.MetadataDeleteAfterCommitEnabledKey: "true",
		table.ParquetCompressionKey:               "zstd",
		table.ParquetCompressionLevelKey:          "1",
		table.DefaultWriteMetricsModeKey:          "counts",
	}
	for _, name := range y.order {
		p[table.MetricsModeColumnConfPrefix+"."+name] = "truncate(32)"
	}
	return p
}

// check holds the table to the layout and returns the columns that it lacks.
func (y *layout) check(tbl *table.Table) ([]arrow.Field, error) {
	props := tbl.Properties()
	if props[propKind] != y.kind {
		return nil, notOurs(y.thing(), y.kind, props[propKind])
	}
	if props[propOf] != y.of {
		return nil, fault.New(y.thing(), fmt.Sprintf("holds %s, not %s", props[propOf], y.of), "choose another name")
	}
	missing, err := y.compare(tbl)
	if err != nil {
		return nil, err
	}
	spec := tbl.Spec()
	want := fieldID(tbl.Schema(), y.time())
	if spec.NumFields() != 1 || spec.Field(0).SourceID() != want || !spec.Field(0).Transform.Equals(iceberg.DayTransform{}) {
		return nil, fault.New(y.thing(), fmt.Sprintf("is partitioned by %s, not by the day of %s", spec, y.time()),
			"undo what changed it, or write to a new table")
	}
	return missing, nil
}

// compare looks for every column of the layout in the table. A column that the table has and the layout has not stays,
// and is null in new rows.
func (y *layout) compare(tbl *table.Table) (missing []arrow.Field, err error) {
	for _, f := range y.schema.Fields() {
		want, err := icebergType(f.Type)
		if err != nil {
			return nil, err
		}
		got, ok := tbl.Schema().FindFieldByName(f.Name)
		switch {
		case ok && !got.Type.Equals(want):
			return nil, fault.New(y.thing(), fmt.Sprintf("column %s holds %s, and is now defined as %s", f.Name, got.Type, want),
				"give the column of the new type a new name")
		case ok && got.Required && f.Nullable:
			return nil, fault.New(y.thing(), fmt.Sprintf("column %s was made required by someone else", f.Name),
				"make it optional again")
		case ok:
		case wasDropped(tbl, f.Name):
			return nil, fault.New(y.thing(), fmt.Sprintf("column %s was renamed or dropped by someone else", f.Name),
				"undo that, or give the column a new name")
		case !f.Nullable:
			return nil, y.lacks(f.Name)
		default:
			missing = append(missing, f)
		}
	}
	return missing, nil
}

func (y *layout) lacks(column string) error {
	return fault.New(y.thing(), "lacks the column "+column, "undo what changed it, or write to a new table")
}

func wasDropped(tbl *table.Table, name string) bool {
	for _, sc := range tbl.Schemas() {
		if _, ok := sc.FindFieldByName(name); ok {
			return true
		}
	}
	return false
}

// addColumns gives the table the columns that it lacks by now: another writer may have added them.
func (y *layout) addColumns(tbl *table.Table, txn *table.Transaction) error {
	missing, err := y.check(tbl)
	if err != nil {
		return err
	}
	update := txn.UpdateSchema(true, false)
	for _, f := range missing {
		typ, err := icebergType(f.Type)
		if err != nil {
			return err
		}
		update = update.AddColumn([]string{f.Name}, typ, "", false, nil)
	}
	return update.Commit()
}

// fileSchema is the schema of the data files: the batches' columns with the table's field ids.
func (y *layout) fileSchema(tbl *table.Table) (*arrow.Schema, error) {
	fields := make([]arrow.Field, y.schema.NumFields())
	for i, f := range y.schema.Fields() {
		col, ok := tbl.Schema().FindFieldByName(f.Name)
		if !ok {
			return nil, y.lacks(f.Name)
		}
		f.Nullable = !col.Required
		f.Metadata = arrow.MetadataFrom(map[string]string{fieldIDKey: fmt.Sprint(col.ID)})
		fields[i] = f
	}
	return arrow.NewSchema(fields, nil), nil
}

// fits tells whether batches of the schema have the layout's columns, in its order.
func (y *layout) fits(sc *arrow.Schema) error {
	if sc.NumFields() != y.schema.NumFields() {
		return fault.New(y.thing(), fmt.Sprintf("rows have %d columns, not %d", sc.NumFields(), y.schema.NumFields()),
			"open the table with the schema of the rows")
	}
	for i, f := range sc.Fields() {
		want := y.schema.Field(i)
		if f.Name != want.Name || !arrow.TypeEqual(f.Type, want.Type) {
			return fault.New(y.thing(),
				fmt.Sprintf("column %d of the rows is %s %s, not %s %s", i, f.Name, f.Type, want.Name, want.Type),
				"open the table with the schema of the rows")
		}
	}
	return nil
}
