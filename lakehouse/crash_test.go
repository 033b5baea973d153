package lakehouse

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/iceberg-go/catalog"
	iceio "github.com/apache/iceberg-go/io"
	"github.com/apache/iceberg-go/table"

	"github.com/spillway-go/spillway/internal/fault"
)

// failing makes the step of that number fail, and all after it if it is a crash. Steps are what changes anything: making a
// file, the first write to it, closing and removing it, and commits, which can fail before and after they happened.
type failing struct {
	steps int // left before the failure
	err   error
	crash bool
	did   []string
}

func (f *failing) step(what string) error {
	f.did = append(f.did, what)
	f.steps--
	if f.steps == -1 || f.crash && f.steps < 0 {
		return f.err
	}
	return nil
}

// failAt puts the failure between the lake and its files and catalog.
func failAt(l *Lake, steps int, err error, crash bool) *failing {
	f := &failing{steps: steps, err: err, crash: crash}
	l.fs = failingFS{l.fs, f}
	l.cat = failingCatalog{l.cat, f}
	return f
}

type failingFS struct {
	storage
	*failing
}

func (s failingFS) Create(name string) (iceio.FileWriter, error) {
	if err := s.step("create " + name); err != nil {
		return nil, err
	}
	w, err := s.storage.Create(name)
	return &failingFile{FileWriter: w, failing: s.failing, name: name}, err
}

func (s failingFS) Remove(name string) error {
	if err := s.step("remove " + name); err != nil {
		return err
	}
	return s.storage.Remove(name)
}

type failingFile struct {
	iceio.FileWriter
	*failing
	name  string
	begun bool
}

func (w *failingFile) Write(p []byte) (int, error) {
	if w.begun && w.steps >= 0 {
		return w.FileWriter.Write(p)
	}
	w.begun = true
	if err := w.step("write " + w.name); err != nil {
		n, _ := w.FileWriter.Write(p[:len(p)/2]) // as a disk does that fills up
		return n, err
	}
	return w.FileWriter.Write(p)
}

func (w *failingFile) Close() error {
	if err := w.step("close " + w.name); err != nil {
		w.FileWriter.Close()
		return err
	}
	return w.FileWriter.Close()
}

type failingCatalog struct {
	catalog.Catalog
	*failing
}

func (c failingCatalog) CommitTable(ctx context.Context, id table.Identifier, reqs []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	if err := c.step("before the commit"); err != nil {
		return nil, "", err
	}
	meta, at, err := c.Catalog.CommitTable(ctx, id, reqs, updates)
	if err == nil {
		err = c.step("after the commit")
	}
	return meta, at, err
}

func (c failingCatalog) LoadTable(ctx context.Context, id table.Identifier) (*table.Table, error) {
	if c.crash && c.steps < 0 {
		return nil, c.err
	}
	return c.Catalog.LoadTable(ctx, id)
}

var errCrash = errors.New("the machine stopped")

// TestArchiveCrash stops the machine at every step of an append in turn. What is left must be the old state or the new one,
// and going on from its frontier must bring every record in exactly once.
func TestArchiveCrash(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	log := paymentLog(t, "payments")
	openArchive(t, openLake(t, dir), log)
	var all []record
	old, lands := 0, 0
	for steps := 0; ; steps++ {
		chunk := moreHistory(all)
		from := frontierAfter(nil, all)
		to := frontierAfter(from, chunk)
		l := openLake(t, dir)
		a := openArchive(t, l, log)
		f := failAt(l, steps, errCrash, true)
		_, err := a.Append(ctx, from, to, []arrow.RecordBatch{batchOf(log, chunk...)})
		if err == nil {
			if at := f.did[len(f.did)-1]; f.steps < 0 && !strings.HasPrefix(at, "remove") {
				t.Fatalf("%s failed and the append did not notice", at)
			}
			if old == 0 || lands == 0 {
				t.Errorf("of %d crashes %d left the old state and %d the new one: want both", steps, old, lands)
			}
			return
		}
		l = openLake(t, dir)
		a = openArchive(t, l, log)
		switch stands, err := a.Frontier(ctx); {
		case err != nil:
			t.Fatal(err)
		case stands.String() == from.String():
			old++
			if _, err := a.Append(ctx, from, to, []arrow.RecordBatch{batchOf(log, chunk...)}); err != nil {
				t.Fatalf("after a crash at %s: %v", f.did[steps], err)
			}
		case stands.String() == to.String():
			lands++
		default:
			t.Fatalf("after a crash at %s the frontier is %s, want %s or %s", f.did[steps], stands, from, to)
		}
		all = append(all, chunk...)
		if steps%10 == 0 {
			checkHolds(t, a, all)
		}
	}
}

// moreHistory goes on from the records, with as many of the same days each time, so that each append takes the same steps.
func moreHistory(all []record) []record {
	next := frontierAfter(nil, all)
	n := int64(len(all))
	return []record{
		{partition: 0, offset: next[0], card: "b", at: n, amount: 1},
		{partition: 0, offset: next[0] + 2, card: "a", at: -n - 1, amount: 2},
		{partition: 1, offset: next[1] + 1, fault: "no JSON"},
	}
}

func checkHolds(t *testing.T, a *Archive, all []record) {
	t.Helper()
	s := current(t, a.Table)
	if err := s.Verify(context.Background()); err != nil {
		t.Error(err)
	}
	want := slices.Clone(all)
	sortRecords(want)
	if got := readBack(t, s, Everything); !slices.Equal(got, want) {
		t.Fatalf("holds %d records, want %d", len(got), len(want))
	}
}

// TestArchiveFailure makes each step fail once, as a full disk does, and goes on with the same Archive.
func TestArchiveFailure(t *testing.T) {
	ctx := context.Background()
	l := openLake(t, t.TempDir())
	log := paymentLog(t, "payments")
	a := openArchive(t, l, log)
	fs, cat := l.fs, l.cat
	var all []record
	for steps := 0; ; steps++ {
		chunk := moreHistory(all)
		from := frontierAfter(nil, all)
		to := frontierAfter(from, chunk)
		l.fs, l.cat = fs, cat
		f := failAt(l, steps, fmt.Errorf("write: %w", syscall.ENOSPC), false)
		_, err := a.Append(ctx, from, to, []arrow.RecordBatch{batchOf(log, chunk...)})
		lost := f.steps < 0
		l.fs, l.cat = fs, cat
		if !lost { // Every step has failed once.
			if err != nil {
				t.Fatal(err)
			}
			return
		}
		if err == nil {
			if at := f.did[steps]; at != "after the commit" && !strings.HasPrefix(at, "remove") {
				t.Fatalf("%s failed and the append did not notice", at)
			}
		} else {
			var known *fault.Error
			if !errors.As(err, &known) || !errors.Is(err, syscall.ENOSPC) || known.Remedy == "" {
				t.Errorf("%s: error %v is no fault of a full disk", f.did[steps], err)
			}
			if _, err := a.Append(ctx, from, to, []arrow.RecordBatch{batchOf(log, chunk...)}); err != nil {
				t.Fatalf("after %s: %v", f.did[steps], err)
			}
		}
		all = append(all, chunk...)
		if steps%10 == 0 {
			checkHolds(t, a, all)
		}
	}
}

// silent commits and then neither says so nor answers again.
type silent struct {
	catalog.Catalog
	done bool
}

func (c *silent) CommitTable(ctx context.Context, id table.Identifier, reqs []table.Requirement, updates []table.Update) (table.Metadata, string, error) {
	if _, _, err := c.Catalog.CommitTable(ctx, id, reqs, updates); err != nil {
		return nil, "", err
	}
	c.done = true
	return nil, "", errCrash
}

func (c *silent) LoadTable(ctx context.Context, id table.Identifier) (*table.Table, error) {
	if c.done {
		return nil, errCrash
	}
	return c.Catalog.LoadTable(ctx, id)
}

// TestUnknownOutcomeKeepsFiles commits without learning of it: the files must stay, for the table may name them.
func TestUnknownOutcomeKeepsFiles(t *testing.T) {
	ctx := context.Background()
	dir := t.TempDir()
	log := paymentLog(t, "payments")
	l := openLake(t, dir)
	a := openArchive(t, l, log)
	l.cat = &silent{Catalog: l.cat}
	records := moreHistory(nil)
	if _, err := a.Append(ctx, nil, frontierAfter(nil, records), []arrow.RecordBatch{batchOf(log, records...)}); !errors.Is(err, errCrash) {
		t.Errorf("error %v", err)
	}
	checkHolds(t, openArchive(t, openLake(t, dir), log), records)

	l = openLake(t, dir)
	plan := activityPlan(t)
	f := openFeatures(t, l, plan)
	rows := answers(Range{0, microsPerDay}, hour, 1)
	replace(t, f, plan, Range{0, microsPerDay}, rows)
	l.cat = &silent{Catalog: l.cat}
	in := Range{hour, 2 * hour}
	if _, err := f.Replace(ctx, answersReader(plan, nil), Run{Plan: "p", Interval: in}); !errors.Is(err, errCrash) {
		t.Errorf("error %v", err)
	}
	holdsAnswers(t, current(t, openFeatures(t, openLake(t, dir), plan).Table), outside(rows, in), true)
}

// volatile spares a test with many files the time of syncing each.
type volatile struct{ storage }

func (volatile) Create(name string) (iceio.FileWriter, error) { return iceio.LocalFS{}.Create(name) }
