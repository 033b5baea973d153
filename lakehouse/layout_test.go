package lakehouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

func TestTopicsBecomeTables(t *testing.T) {
	ctx := context.Background()
	l := openLake(t, t.TempDir())
	names := map[string]string{}
	for _, topic := range []string{"payments", "card_activity.features", "card-activity.features", "card_activity_features", "eu.pay-v1"} {
		a := openArchive(t, l, paymentLog(t, topic))
		if _, err := a.Append(ctx, nil, Frontier{0: int64(len(topic))}, nil); err != nil {
			t.Fatal(err)
		}
		if other := names[a.Name()]; other != "" {
			t.Errorf("topics %s and %s share the table %s", topic, other, a.Name())
		}
		names[a.Name()] = topic
	}
	for table, topic := range names {
		read, err := l.ReadArchive(ctx, topic)
		if err != nil {
			t.Fatal(err)
		}
		if read.Name() != table || current(t, read).Frontier()[0] != int64(len(topic)) {
			t.Errorf("topic %s is read from %s", topic, read.Name())
		}
	}
	if names["raw.payments"] != "payments" || names["raw.eu_pay_v1"] != "eu.pay-v1" {
		t.Errorf("tables: %v", names)
	}
}

func TestArchiveEvolves(t *testing.T) {
	ctx := context.Background()
	l := openLake(t, t.TempDir())
	first := logOf(t, "payments", new(struct {
		Card   string    `spill:"card,key"`
		Amount float64   `spill:"amount"`
		At     time.Time `spill:"at,time"`
	}))
	a := openArchive(t, l, first)
	if _, err := a.Append(ctx, nil, Frontier{0: 1}, []arrow.RecordBatch{batchOf(first, record{card: "a", amount: 1})}); err != nil {
		t.Fatal(err)
	}
	old := current(t, a.Table).ID
	second := paymentLog(t, "payments") // has more columns
	b := openArchive(t, l, second)
	if _, err := b.Append(ctx, Frontier{0: 1}, Frontier{0: 2}, []arrow.RecordBatch{batchOf(second, record{offset: 1, card: "b", amount: 2})}); err != nil {
		t.Fatal(err)
	}
	// The old program goes on: the columns that it does not know are null.
	if _, err := a.Append(ctx, Frontier{0: 2}, Frontier{0: 3}, []arrow.RecordBatch{batchOf(first, record{offset: 2, card: "c", amount: 3})}); err != nil {
		t.Fatal(err)
	}
	for id, want := range map[int64]string{0: "0:null 1:p0-1 2:null", old: "0:null"} {
		s, err := b.Snapshot(ctx, id)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for batch, err := range s.Rows(ctx, Everything, "id", schema.OffsetColumn) {
			if err != nil {
				t.Fatal(err)
			}
			ids := batch.Column(batch.Schema().FieldIndices("id")[0]).(*array.String)
			for i := range int(batch.NumRows()) {
				v := "null"
				if ids.IsValid(i) {
					v = ids.Value(i)
				}
				got = append(got, fmt.Sprintf("%d:%s", batch.Column(batch.Schema().FieldIndices(schema.OffsetColumn)[0]).(*array.Int64).Value(i), v))
			}
		}
		slices.Sort(got)
		if strings.Join(got, " ") != want {
			t.Errorf("snapshot %d holds %v, want %s", id, got, want)
		}
	}
}

func TestArchiveRefusesAnotherShape(t *testing.T) {
	ctx := context.Background()
	retyped := new(struct {
		ID   string    `spill:"id,id"`
		Card string    `spill:"card,key"`
		Amt  int64     `spill:"amount"`
		At   time.Time `spill:"at,time"`
	})
	retimed := new(struct {
		Card string    `spill:"card,key"`
		Then time.Time `spill:"then,time"`
	})
	for _, c := range []struct {
		name   string
		change func(*testing.T, *Lake, *Archive)
		row    any
		want   string
	}{
		{"type changed", nil, retyped, "column amount holds double, and is now defined as long"},
		{"time changed", nil, retimed, "is partitioned by"},
		{"column renamed", func(t *testing.T, l *Lake, a *Archive) {
			alter(t, l, a.Table, func(txn *table.Transaction) error {
				return txn.UpdateSchema(true, false).RenameColumn([]string{"merchant"}, "shop").Commit()
			})
		}, new(payment), "column merchant was renamed or dropped"},
		{"partitioned anew", func(t *testing.T, l *Lake, a *Archive) {
			alter(t, l, a.Table, func(txn *table.Transaction) error {
				return txn.UpdateSpec(true).AddField("card", iceberg.BucketTransform{NumBuckets: 4}, "b").Commit()
			})
		}, new(payment), "is partitioned by"},
		{"not ours", func(t *testing.T, l *Lake, a *Archive) {
			alter(t, l, a.Table, func(txn *table.Transaction) error { return txn.RemoveProperties([]string{propKind}) })
		}, new(payment), "was made by someone else"},
		{"rows without a frontier", func(t *testing.T, l *Lake, a *Archive) {
			alter(t, l, a.Table, func(txn *table.Transaction) error {
				return foreignRows(txn, batchOf(paymentLog(t, "payments"), record{card: "x"}))
			})
		}, new(payment), "holds 1 rows that spillway did not archive"},
	} {
		t.Run(c.name, func(t *testing.T) {
			l := openLake(t, t.TempDir())
			a := openArchive(t, l, paymentLog(t, "payments"))
			if c.change != nil {
				c.change(t, l, a)
			}
			_, err := l.Archive(ctx, logOf(t, "payments", c.row))
			var known *fault.Error
			if !errors.As(err, &known) || !strings.Contains(err.Error(), c.want) || known.Remedy == "" {
				t.Errorf("error %v, want a fault with %q", err, c.want)
			}
			if c.change == nil {
				return
			}
			if _, err := a.Append(ctx, nil, Frontier{0: 1}, nil); err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("an archive that was open appends: error %v, want one with %q", err, c.want)
			}
		})
	}
}

// alter changes a table behind the lake's back.
func alter(t *testing.T, l *Lake, of *Table, change func(*table.Transaction) error) {
	t.Helper()
	tbl, err := l.load(context.Background(), of.id)
	if err != nil {
		t.Fatal(err)
	}
	txn := tbl.NewTransaction()
	if err := change(txn); err != nil {
		t.Fatal(err)
	}
	if _, err := txn.Commit(context.Background()); err != nil {
		t.Fatal(err)
	}
}

func foreignRows(txn *table.Transaction, batch arrow.RecordBatch) error {
	r, err := array.NewRecordReader(batch.Schema(), []arrow.RecordBatch{batch})
	if err != nil {
		return err
	}
	return txn.Append(context.Background(), r, nil)
}

func TestArchiveNeedsItsColumns(t *testing.T) {
	l := openLake(t, t.TempDir())
	for name, change := range map[string]func(*Log){
		"no key":       func(g *Log) { g.Key = "" },
		"key of float": func(g *Log) { g.Key = "amount" },
		"no time":      func(g *Log) { g.Time = "then" },
		"no coordinates": func(g *Log) {
			g.Schema = arrow.NewSchema(g.Schema.Fields()[:7], nil)
		},
		"a list": func(g *Log) {
			g.Schema = arrow.NewSchema(append(g.Schema.Fields(), arrow.Field{Name: "l", Type: arrow.ListOf(arrow.BinaryTypes.String)}), nil)
		},
		"naive time": func(g *Log) {
			g.Schema = arrow.NewSchema(append(g.Schema.Fields(), arrow.Field{Name: "l", Type: &arrow.TimestampType{Unit: arrow.Microsecond}}), nil)
		},
		"no topic": func(g *Log) { g.Topic = "" },
	} {
		log := paymentLog(t, "payments")
		change(&log)
		_, err := l.Archive(context.Background(), log)
		isFault(t, err, "")
		if err == nil {
			t.Errorf("%s: no error", name)
		}
	}
}

// TestOpenTogether lets programs of two versions create and evolve one archive at once.
func TestOpenTogether(t *testing.T) {
	dir := t.TempDir()
	openLake(t, dir)
	var wg sync.WaitGroup
	for i := range 6 {
		l := openLake(t, dir)
		log := paymentLog(t, "payments")
		if i%2 == 0 {
			log = logOf(t, "payments", new(struct {
				Card  string    `spill:"card,key"`
				Tip   float64   `spill:"tip"`
				Table int64     `spill:"table"`
				At    time.Time `spill:"at,time"`
			}))
		}
		wg.Go(func() {
			if _, err := l.Archive(context.Background(), log); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	columns, err := current(t, openArchive(t, openLake(t, dir), paymentLog(t, "payments")).Table).Columns()
	if err != nil || len(columns) != 14 {
		t.Errorf("columns %v, %v", columns, err)
	}
}
