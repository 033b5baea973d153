package streaming

import (
	"context"

	"github.com/twmb/franz-go/pkg/kadm"

	"github.com/spillway-go/spillway/pipeline/kernel"
)

// Frontier is how far a pipeline's stream has committed one partition (S8), and what became of the records before (S9).
type Frontier struct {
	Next         int64 // the offset of the next record
	Watermark    int64 // W there, µs
	HasWatermark bool
	Account      kernel.Account
}

// Committed is how far the plan's stream has committed each partition of its source. A partition that it has not begun is
// not there.
func Committed(ctx context.Context, src Source) (map[int32]Frontier, error) {
	if err := src.complete(); err != nil {
		return nil, err
	}
	client, err := src.connect(ctx)
	if err != nil {
		return nil, err
	}
	defer client.Close()
	r := &runner{Config: Config{Source: src}, admin: kadm.NewClient(client), group: Group(src.Plan)}
	if r.spans, err = r.Source.spans(ctx, r.admin); err != nil {
		return nil, err
	}
	offsets, err := r.committed(ctx)
	if err != nil {
		return nil, err
	}
	committed := map[int32]Frontier{}
	for num, c := range offsets {
		n, err := readNote(r.group, num, c, src.Plan.Hash(), int32(len(r.spans)))
		if err != nil {
			return nil, err
		}
		committed[num] = n.frontier()
	}
	return committed, nil
}

func (n note) frontier() Frontier {
	f := Frontier{Next: n.Next, Account: kernel.Account{First: n.First, Next: n.Next, Gap: n.Gap}}
	if n.Watermark != nil {
		f.Watermark, f.HasWatermark = *n.Watermark, true
	}
	counts := &f.Account.Counts
	counts[kernel.Dead], counts[kernel.Duplicate], counts[kernel.TooLate] = n.Dead, n.Duplicate, n.TooLate
	counts[kernel.Filtered], counts[kernel.Late], counts[kernel.OnTime] = n.Filtered, n.Late, n.OnTime
	return f
}
