package batch

import (
	"context"
	"fmt"
	"maps"
	"slices"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"

	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// Watermarks are W of each partition at the snapshot's frontier (B6); a partition without one has none in the map.
//
// W is the greatest time of the records that raised it, less D. The first record of an id always counts: it is no
// duplicate, and if it came too late W stood higher. So where the greatest time of all valid records is that of a first
// one, W follows from it. That is nearly always so; other partitions are replayed.
func (h *History) Watermarks(ctx context.Context) (map[int32]int64, error) {
	peaks, err := h.peaks(ctx)
	if err != nil {
		return nil, err
	}
	unsure, err := h.unsure(ctx, peaks)
	if err != nil {
		return nil, err
	}
	w := map[int32]int64{}
	for p, t := range peaks {
		w[p] = t - h.plan.Source.OutOfOrder
	}
	for _, p := range unsure {
		delete(w, p)
	}
	if len(unsure) > 0 {
		err = h.replayWatermarks(ctx, unsure, w)
	}
	return w, err
}

// peaks are the greatest times of the records of each partition that SQL thinks valid.
func (h *History) peaks(ctx context.Context) (map[int32]int64, error) {
	h.progress("finding watermarks", 0, 0)
	peaks := map[int32]int64{}
	sql, err := h.sql(query{columns: []string{partitionName, "max(" + h.time() + ")"}, files: h.files, where: h.valid(), order: "GROUP BY ALL"})
	if err != nil {
		return nil, err
	}
	rows, err := h.db.Query(ctx, sql)
	if err != nil {
		return nil, err
	}
	defer rows.Close()
	for rows.Next() {
		partitions, times := rows.Batch().Column(0).(*array.Int32), rows.Batch().Column(1).(*array.Timestamp)
		for i := range partitions.Len() {
			peaks[partitions.Value(i)] = int64(times.Value(i))
		}
	}
	return peaks, rows.Err()
}

// unsure are the partitions at whose peak there is no record that is valid to the kernel and the first of its id.
func (h *History) unsure(ctx context.Context, peaks map[int32]int64) ([]int32, error) {
	if len(peaks) == 0 {
		return nil, nil
	}
	src := &h.plan.Source
	at, same, others := h.key(), h.key()+" = _k", []int{}
	at += " AS _k"
	if src.ID >= 0 {
		at += ", " + h.name(src.ID) + " AS _i"
		same += " AND " + h.name(src.ID) + " = _i"
		others = append(others, src.ID)
	}
	where := h.valid()
	if src.ID < 0 {
		where = append(where, h.atPeak(peaks))
	}
	tops, err := h.sql(query{columns: []string{"DISTINCT " + partitionName + " AS _p", at}, files: h.files, where: append(h.valid(), h.atPeak(peaks))})
	if err != nil {
		return nil, err
	}
	if err := h.db.Exec(ctx, "CREATE OR REPLACE TABLE _tops AS "+tops); err != nil {
		return nil, err
	}
	columns, names := h.reading(others...)
	lay := h.layOut(names, map[string]string{schema.StampColumn: names[1]})
	judge, err := h.newJudge()
	if err != nil {
		return nil, err
	}
	sure := map[int32]bool{}
	seen := map[[2]string]bool{}
	q := query{
		columns: columns, files: h.files, join: fmt.Sprintf("SEMI JOIN _tops ON %s = _p AND %s", partitionName, same), where: where,
		order: fmt.Sprintf("ORDER BY %s, %s", partitionName, offsetName),
	}
	err = h.each(ctx, q, func(b arrow.RecordBatch) error {
		rec := lay.batch(b)
		defer rec.Release()
		valid, err := judge.valid(rec)
		if err != nil {
			return err
		}
		partitions := rec.Column(len(src.Schema.Fields)).(*array.Int32)
		for i, ok := range valid {
			p := partitions.Value(i)
			if !ok || sure[p] {
				continue
			}
			id := [2]string{rec.Column(src.Key).(*array.String).Value(i)}
			if src.ID >= 0 {
				id[1] = rec.Column(src.ID).(*array.String).Value(i)
				if seen[id] {
					continue
				}
				seen[[2]string{string([]byte(id[0])), string([]byte(id[1]))}] = true
			}
			sure[p] = int64(rec.Column(src.Time).(*array.Timestamp).Value(i)) == peaks[p]
		}
		if len(sure) == len(peaks) && !slices.Contains(slices.Collect(maps.Values(sure)), false) {
			return errEnough
		}
		return nil
	})
	var unsure []int32
	for p := range peaks {
		if !sure[p] {
			unsure = append(unsure, p)
		}
	}
	slices.Sort(unsure)
	return unsure, err
}

// atPeak is the condition that a record is at the peak of its partition.
func (h *History) atPeak(peaks map[int32]int64) string {
	text := ""
	for _, p := range slices.Sorted(maps.Keys(peaks)) {
		if text != "" {
			text += " OR "
		}
		text += fmt.Sprintf("%s = %d AND epoch_us(%s) = %d", partitionName, p, h.time(), peaks[p])
	}
	return "(" + text + ")"
}

// replayWatermarks takes the partitions' W from the kernel.
func (h *History) replayWatermarks(ctx context.Context, partitions []int32, w map[int32]int64) error {
	plan := *h.plan
	plan.Tick = 0
	prog, err := kernel.Compile(&plan, none)
	if err != nil {
		return err
	}
	r := &replay{h: h, prog: prog, rows: prog.NewRows(), doing: "finding watermarks"}
	r.pushed = func(*kernel.Task) error {
		r.rows.Reset()
		return nil
	}
	r.ended = func(p int32, task *kernel.Task) error {
		if micros, ok := task.Watermark(); ok {
			w[p] = micros
		}
		return nil
	}
	return r.run(ctx, partitions)
}
