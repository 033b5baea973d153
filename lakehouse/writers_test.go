package lakehouse

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/iceberg-go"
	"github.com/apache/iceberg-go/table"
)

// TestTwoWriters lets several processes' worth of archives of the same partition append at once, each going on from the
// frontier that it finds. Every record must be there once, whoever brought it. The table asks for retries, by which
// iceberg-go would put a stale commit on top of another's.
func TestTwoWriters(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	log := paymentLog(t, "payments")
	l := openLake(t, dir)
	alter(t, l, openArchive(t, l, log).Table, func(txn *table.Transaction) error {
		return txn.SetProperties(iceberg.Properties{table.CommitNumRetriesKey: "4", table.CommitMinRetryWaitMsKey: "1"})
	})
	const end = 60
	var wg sync.WaitGroup
	refused := make([]int, 3)
	for w := range 3 {
		a := openArchive(t, openLake(t, dir), log)
		wg.Go(func() {
			for {
				from, err := a.Frontier(ctx)
				if err != nil {
					t.Error(err)
					return
				}
				if from[0] >= end {
					return
				}
				to := Frontier{0: from[0] + 2}
				_, err = a.Append(ctx, from, to, []arrow.RecordBatch{batchOf(log, record{offset: from[0], card: "c"}, record{offset: from[0] + 1, card: "d"})})
				if errors.Is(err, ErrFrontier) {
					refused[w]++
				} else if err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	t.Logf("refused: %v", refused)
	s := current(t, openArchive(t, openLake(t, dir), log).Table)
	if got := fmt.Sprint(s.Spans); got != "map[0:{0 60 60}]" {
		t.Errorf("spans %s", got)
	}
	if err := s.Verify(ctx); err != nil {
		t.Error(err)
	}
	if n := len(parquetFiles(t, openLake(t, dir))); n != end/2 {
		t.Errorf("%d files for %d appends: refused ones stayed", n, end/2)
	}
}

// TestWritersOfOtherPartitions lets each writer keep its own partition: none is ever refused.
func TestWritersOfOtherPartitions(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	log := paymentLog(t, "payments")
	openArchive(t, openLake(t, dir), log)
	var wg sync.WaitGroup
	for p := range int32(4) {
		a := openArchive(t, openLake(t, dir), log)
		wg.Go(func() {
			for o := range int64(8) {
				if _, err := a.Append(ctx, Frontier{p: o}, Frontier{p: o + 1}, []arrow.RecordBatch{batchOf(log, record{partition: p, offset: o, card: "c"})}); err != nil {
					t.Error(err)
					return
				}
			}
		})
	}
	wg.Wait()
	s := current(t, openArchive(t, openLake(t, dir), log).Table)
	if s.Frontier().String() != "0:8 1:8 2:8 3:8" {
		t.Errorf("frontier %s", s.Frontier())
	}
	if err := s.Verify(ctx); err != nil {
		t.Error(err)
	}
}
