package reconcile

import (
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/schema"
	"github.com/spillway-go/spillway/pipeline/window"
)

// classes is what the stream made of every record of a partition (S3, S9), found by letting the kernel read the whole
// partition again: a watermark is the partition's, so no key's records alone can tell what became of them.
type classes struct {
	pages   map[int64]*classPage // by offset / classPageLen
	behind  []behind             // the late and too late ones, by offset
	account kernel.Account
	mark    Mark
}

const classPageLen = 1 << 16

// classPage holds the class + 1 of each offset; 0 is none. Gaps cost nothing where they are whole pages.
type classPage [classPageLen]uint8

// behind is a record that came behind the watermark.
type behind struct{ offset, watermark int64 }

// classifier is the least program that classifies as the plan does: neither features nor ticks touch the classes. All
// expressions are still evaluated, since one that overflows makes its record invalid.
func classifier(plan *pipeline.Plan) (*kernel.Program, error) {
	bare := *plan
	bare.Tick = 0
	// The kernel's tasks want one feature at least; this one is no user's.
	least := pipeline.FeaturePlan{Kind: schema.Int, Agg: agg.Count().Spec(), Window: window.Last(time.Microsecond)}
	bare.Features = append(slices.Clip(plan.Features), least)
	return kernel.Compile(&bare, func(f *pipeline.FeaturePlan) bool { return f.Name == least.Name })
}

// classify reads a partition up to its mark.
func classify(ctx context.Context, plan *pipeline.Plan, log Log, partition int32, mark Mark) (*classes, error) {
	r, err := log.Partition(ctx, partition)
	if err != nil {
		return nil, err
	}
	defer r.Release()
	program, err := classifier(plan)
	if err != nil {
		return nil, err
	}
	c := &classes{pages: map[int64]*classPage{}}
	task := kernel.NewTask(program, partition)
	rows := program.NewRows()
	for r.Next() {
		if err := ctx.Err(); err != nil {
			return nil, err
		}
		batch := r.RecordBatch()
		n := int(batch.NumRows())
		if n == 0 {
			continue
		}
		offsets, err := offsetsOf(batch, plan.Source.Schema)
		if err != nil {
			return nil, err
		}
		last := offsets[n-1]
		if last >= mark.Next {
			where := fmt.Sprintf("gives offset %d of partition %d, beyond the frontier's %d", last, partition, mark.Next)
			return nil, fault.New("the log", where, "read it at the snapshot of the other sides")
		}
		if err := task.Push(batch, last+1, rows); err != nil {
			return nil, err
		}
		rows.Reset()
		c.keep(plan, task.Classes(), batch, offsets)
		if w, ok := task.Watermark(); ok != c.mark.Known || ok && w != c.mark.Watermark {
			return nil, fmt.Errorf("reconcile: partition %d, offset %d: the kernel's watermark is not S3's", partition, last)
		}
	}
	if err := r.Err(); err != nil {
		return nil, err
	}
	c.account = task.Account()
	if c.account.Next < mark.Next {
		// What lies behind the last record is a gap: markers of transactions.
		c.account.Gap += mark.Next - c.account.Next
		c.account.Next = mark.Next
	}
	c.mark.Next = mark.Next
	return c, nil
}

// offsetsOf are the offsets of a batch in the layout of schema.Log.
func offsetsOf(batch arrow.RecordBatch, sc *schema.Schema) ([]int64, error) {
	n := len(sc.Fields)
	if int(batch.NumCols()) == n+5 {
		if a, ok := batch.Column(n + 1).(*array.Int64); ok {
			return a.Int64Values(), nil
		}
	}
	fields := fmt.Sprintf("gives batches of %d columns that are not those of the source", batch.NumCols())
	return nil, fault.New("the log", fields, "give them in the layout of schema.Log")
}

// keep notes the classes of a batch and raises W as its records do.
func (c *classes) keep(plan *pipeline.Plan, read []kernel.Class, batch arrow.RecordBatch, offsets []int64) {
	src := &plan.Source
	times, _ := micros(batch.Column(src.Time)) // The kernel has read it as times.
	keys := batch.Column(src.Key)
	for i, class := range read {
		c.put(offsets[i], class)
		switch class {
		case kernel.Dead, kernel.Duplicate:
			continue
		case kernel.Filtered:
			if keys.IsNull(i) {
				continue // SkipNullKey: it is no event.
			}
		case kernel.TooLate, kernel.Late:
			c.behind = append(c.behind, behind{offsets[i], c.mark.Watermark})
		}
		if class == kernel.TooLate {
			continue
		}
		if w := times[i] - src.OutOfOrder; !c.mark.Known || w > c.mark.Watermark {
			c.mark.Watermark, c.mark.Known = w, true
		}
	}
}

func (c *classes) put(offset int64, class kernel.Class) {
	at := offset / classPageLen
	p := c.pages[at]
	if p == nil {
		p = new(classPage)
		c.pages[at] = p
	}
	p[offset%classPageLen] = uint8(class) + 1
}

// of is the class of the record at an offset; false when the partition has none there.
func (c *classes) of(offset int64) (kernel.Class, bool) {
	p := c.pages[offset/classPageLen]
	if p == nil || p[offset%classPageLen] == 0 {
		return 0, false
	}
	return kernel.Class(p[offset%classPageLen] - 1), true
}

// watermark is W before the record at an offset that came behind it.
func (c *classes) watermark(offset int64) (int64, bool) {
	i, ok := slices.BinarySearchFunc(c.behind, offset, func(b behind, o int64) int { return cmp.Compare(b.offset, o) })
	if !ok {
		return 0, false
	}
	return c.behind[i].watermark, true
}
