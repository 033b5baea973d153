package reconcile

import (
	"context"

	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline"
)

// cursor reads a side row by row in its order, which it checks.
type cursor struct {
	side     string // as sideNames has it
	plan     *pipeline.Plan
	ctx      context.Context
	reader   array.RecordReader
	layout   *layout
	repeats  bool // an identity may come twice; elsewhere that is an error
	lastOnly bool // of the rows of one (key, ask) only the last, the highest revision, is read

	page  *page // nil at the end
	row   int
	ahead *page // the page after, if it had to be looked at
	rows  int64 // read so far
}

// open begins to read the side that the cursor names. It is closed by its owner, unless this fails.
func (c *cursor) open(ctx context.Context, in *Input) error {
	r, err := in.side(c.side).Rows(ctx)
	if err != nil {
		return err
	}
	if c.layout, err = findColumns(c.side, r.Schema(), in.Plan); err != nil {
		r.Release()
		return err
	}
	c.ctx, c.plan, c.reader = ctx, in.Plan, r
	return nil
}

// start reads the first page.
func (c *cursor) start() error {
	p, err := c.load(nil)
	if err != nil {
		return err
	}
	c.page = p
	return c.settle()
}

func (c *cursor) close() {
	for _, p := range []*page{c.page, c.ahead} {
		if p != nil {
			p.release()
		}
	}
	c.page, c.ahead = nil, nil
	c.reader.Release()
}

// load reads the next page that is not empty, and checks that it goes on in order behind the last; nil is the end.
func (c *cursor) load(last *page) (*page, error) {
	for c.reader.Next() {
		if err := c.ctx.Err(); err != nil {
			return nil, err
		}
		batch := c.reader.RecordBatch()
		if batch.NumRows() == 0 {
			continue
		}
		p, err := newPage(c.side, batch, c.layout, c.plan)
		if err != nil {
			return nil, err
		}
		if err := c.check(last, p); err != nil {
			p.release()
			return nil, err
		}
		c.rows += int64(p.len())
		return p, nil
	}
	return nil, c.reader.Err()
}

func (c *cursor) check(last, p *page) error {
	if last != nil {
		if err := c.inOrder(last, last.len()-1, p, 0); err != nil {
			return err
		}
	}
	for i := 1; i < p.len(); i++ {
		if err := c.inOrder(p, i-1, p, i); err != nil {
			return err
		}
	}
	return nil
}

func (c *cursor) inOrder(p *page, i int, q *page, j int) error {
	order := p.compare(i, q, j, false)
	switch {
	case order > 0:
		return fault.New(c.side+" rows", "are not sorted: "+p.describe(i)+" comes before "+q.describe(j),
			"sort them by key (as bytes), ask_time, partition, offset and revision")
	case order == 0 && !c.repeats:
		return fault.New(c.side+" rows", "hold one twice: "+p.describe(i), "write each row of a run once")
	}
	return nil
}

// advance goes n rows on, all of which lie in the page.
func (c *cursor) advance(n int) error {
	c.row += n
	if c.row == c.page.len() {
		if err := c.turn(); err != nil {
			return err
		}
	}
	return c.settle()
}

// turn goes to the next page.
func (c *cursor) turn() error {
	next := c.ahead
	c.ahead = nil
	if next == nil {
		var err error
		if next, err = c.load(c.page); err != nil {
			return err
		}
	}
	c.page.release()
	c.page, c.row = next, 0
	return nil
}

// settle goes on to a row that is the last of its ask, where only such are read.
func (c *cursor) settle() error {
	for c.lastOnly && c.page != nil {
		if c.row == c.page.len()-1 && c.ahead == nil {
			var err error
			if c.ahead, err = c.load(c.page); err != nil {
				return err
			}
		}
		if !c.revised(c.row) {
			return nil
		}
		c.row++
		if c.row == c.page.len() {
			if err := c.turn(); err != nil {
				return err
			}
		}
	}
	return nil
}

// revised tells whether the row behind row i answers the same ask. The page behind has been looked at if i is the last.
func (c *cursor) revised(i int) bool {
	if i+1 < c.page.len() {
		return c.page.sameAsk(i, c.page, i+1)
	}
	return c.ahead != nil && c.page.sameAsk(i, c.ahead, 0)
}

// left is how many rows of the page can be read as they lie: where only last revisions are, the last row waits until the
// page behind is known.
func (c *cursor) left() int {
	n := c.page.len() - c.row
	if !c.lastOnly || n == 1 {
		return n
	}
	return n - 1
}
