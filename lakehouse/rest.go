package lakehouse

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/parquet/file"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// rest writes the rows of the files that lie outside of the interval to files of their own, and returns these and their
// paths. It writes all columns that the table has, those that today's plan has not too.
//
// iceberg-go's own copy-on-write reads the files without their delete files, and so brings deleted rows back
// (apache/iceberg-go#2042). This reads them as a scan does.
func (f *Features) rest(ctx context.Context, tbl *table.Table, cut []table.FileScanTask,
	in Range,
) ([]iceberg.DataFile, []string, error) {
	if len(cut) == 0 {
		return nil, nil, nil
	}
	whole, err := f.wholeLayout(tbl)
	if err != nil {
		return nil, nil, err
	}
	w, err := f.lake.newDayWriter(ctx, tbl, whole)
	if err != nil {
		return nil, nil, err
	}
	for _, t := range cut {
		if err := f.keepOutside(ctx, w, t, in); err != nil {
			w.abandon()
			return nil, nil, err
		}
	}
	return w.done, w.paths, nil
}

// keepOutside writes the rest of one file. It makes files of its own, so that they are sorted where that one was.
func (f *Features) keepOutside(ctx context.Context, w *dayWriter, t table.FileScanTask, in Range) error {
	stamp, err := f.stampOf(t.File)
	if err != nil {
		return err
	}
	w.stamp(stamp)
	ask := iceberg.Reference(f.timeColumn)
	outside := iceberg.NewOr(iceberg.LessThan(ask, iceberg.Timestamp(in.From)),
		iceberg.GreaterThanEqual(ask, iceberg.Timestamp(in.To)))
	for batch, err := range f.read(ctx, w.tbl, []table.FileScanTask{t}, outside, nil) {
		if err != nil {
			return err
		}
		if err := w.write(batch); err != nil {
			return err
		}
	}
	_, err = w.finish()
	return err
}

// wholeLayout is the layout of all the table's columns.
func (f *Features) wholeLayout(tbl *table.Table) (*layout, error) {
	sc, err := table.SchemaToArrowSchema(tbl.Schema(), nil, false, false)
	if err != nil {
		return nil, err
	}
	whole := *f.layout
	whole.schema = arrow.NewSchema(sc.Fields(), nil)
	return &whole, nil
}

// stampOf is what the writer of a file put into its footer about where the rows come from.
func (f *Features) stampOf(df iceberg.DataFile) (arrow.Metadata, error) {
	in, err := f.lake.fs.Open(df.FilePath())
	if err != nil {
		return arrow.Metadata{}, err
	}
	r, err := file.NewParquetReader(in)
	if err != nil {
		in.Close()
		return arrow.Metadata{}, err
	}
	defer r.Close()
	stamp := map[string]string{}
	for _, key := range []string{propPlan, propRun} {
		if v := r.MetaData().KeyValueMetadata().FindValue(key); v != nil {
			stamp[key] = *v
		}
	}
	return arrow.MetadataFrom(stamp), nil
}
