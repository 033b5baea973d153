package lakehouse

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"strings"
	"time"

	"github.com/apache/iceberg-go/table"

	"github.com/spillway-go/spillway/internal/fault"
)

// propCommit stands in the summary of each snapshot of ours: the one name of its commit, by which a commit whose answer
// was lost is found again.
const propCommit = "spillway.commit"

// The bounds of a commit's patience with other writers.
const (
	commitTries   = 30
	commitWaitMin = 5 * time.Millisecond
	commitWaitMax = 500 * time.Millisecond
	reloadTimeout = 15 * time.Second
)

// guard is the catalog as a transaction sees it. The SQL catalog reports a table that changed in the meantime as a plain
// error; guard makes it the ErrCommitFailed that means: nothing was committed, look again.
type guard struct{ lake *Lake }

func (g guard) LoadTable(ctx context.Context, id table.Identifier) (*table.Table, error) {
	return g.lake.load(ctx, id)
}

func (g guard) CommitTable(ctx context.Context, id table.Identifier, reqs []table.Requirement,
	updates []table.Update,
) (table.Metadata, string, error) {
	meta, at, err := g.lake.cat.CommitTable(ctx, id, reqs, updates)
	if err != nil && !errors.Is(err, table.ErrCommitFailed) && says(err, "equirement failed") {
		err = fmt.Errorf("%w: %w", table.ErrCommitFailed, err)
	}
	return meta, at, err
}

// unsure is an error after which the commit may have happened or may happen yet, so files that it names must stay.
type unsure struct{ error }

func (u unsure) Unwrap() error { return u.error }

// commit builds a change on the newest state of the table and commits it, again while others commit first. The change
// lands only on the very snapshot that build saw. token names the commit ("" for one that makes no snapshot). After an
// error of unknown outcome the table is searched for it, so that a commit is never reported lost that is there.
func (t *Table) commit(ctx context.Context, token string,
	build func(*table.Table, *table.Transaction) error,
) (*table.Table, error) {
	wait := commitWaitMin
	for range commitTries {
		tbl, err := t.lake.load(ctx, t.id)
		if err != nil {
			return nil, t.lake.explain(t.thing, err)
		}
		txn := tbl.NewTransaction()
		if err := txn.AssertRefSnapshotID(table.MainBranch); err != nil {
			return nil, t.lake.explain(t.thing, err)
		}
		if err := build(tbl, txn); err != nil {
			return nil, t.lake.explain(t.thing, err)
		}
		done, err := txn.Commit(ctx)
		switch {
		case err == nil:
			return done, nil
		case !errors.Is(err, table.ErrCommitFailed):
			return t.settle(ctx, token, err)
		}
		select {
		case <-ctx.Done():
			return nil, ctx.Err()
		case <-time.After(wait/2 + rand.N(wait/2)):
		}
		wait = min(2*wait, commitWaitMax)
	}
	return nil, fault.New(t.thing, fmt.Sprintf("others committed first %d times", commitTries),
		"let fewer writers commit to one table, or less often")
}

// settle finds out whether a commit happened whose answer was an error.
func (t *Table) settle(ctx context.Context, token string, cause error) (*table.Table, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), reloadTimeout)
	defer cancel()
	tbl, err := t.lake.load(ctx, t.id)
	if err != nil || token == "" {
		return nil, unsure{t.lake.explain(t.thing, cause)}
	}
	for s := range ancestry(tbl, tbl.CurrentSnapshot()) {
		if summary(s)[propCommit] == token {
			return tbl, nil
		}
	}
	return nil, unsure{t.lake.explain(t.thing, cause)}
}

// drop removes files that no commit names. It is best effort: a file that stays is an orphan, and no table reads it.
func (l *Lake) drop(paths []string) {
	for _, p := range paths {
		_ = l.fs.Remove(p)
	}
}

// dropUnlessUnsure removes the files of a commit that surely did not happen.
func (l *Lake) dropUnlessUnsure(err error, paths []string) {
	var u unsure
	if err != nil && !errors.As(err, &u) {
		l.drop(paths)
	}
}

func joined(id table.Identifier) string { return strings.Join(id, ".") }
