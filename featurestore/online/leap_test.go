package online_test

import (
	"context"
	"testing"
	"time"

	"github.com/cockroachdb/pebble/v2/vfs"

	"github.com/spillway-go/spillway/featurestore/online"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/pipeline/agg"
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/window"
)

type reading struct {
	Person string    `spill:"person,key"`
	At     time.Time `spill:"at,time"`
	X      float64   `spill:"x"`
}

type summary struct {
	Person string `spill:"person,key"`
	Count  int64  `spill:"count"`
}

// TestLeap pushes a batch whose last record lifts the watermark far beyond its first.
func TestLeap(t *testing.T) {
	p := pipeline.Define("leap", func(d *pipeline.Draft) {
		var r reading
		var s summary
		src := pipeline.From(d, "readings", &r, pipeline.Lateness(0))
		pipeline.Aggregate(src, &s, pipeline.EveryEvent(),
			pipeline.Feature(&s.Count, agg.CountOf(expr.Col(&r.X)), window.Last(time.Hour).Tile(time.Minute)))
	})
	plan, err := p.Plan()
	if err != nil {
		t.Fatal(err)
	}
	store, err := online.OpenPebble("store", online.PebbleOptions{}.On(vfs.NewMem()))
	if err != nil {
		t.Fatal(err)
	}
	defer store.Close()
	f, err := newFollower(store, plan)
	if err != nil {
		t.Fatal(err)
	}
	var log pipelinetest.Log
	for i, s := range []int64{0, 2000} {
		log = append(log, pipelinetest.Record{Offset: int64(i), Stamp: s * 1e6, Values: []expr.Datum{{S: "p"}, {I: s * 1e6}, {F: 1}}})
	}
	if err := f.read(log); err != nil {
		t.Fatal(err)
	}
	view, err := online.NewView(store, plan, online.ViewOptions{})
	if err != nil {
		t.Fatal(err)
	}
	var a online.Answer
	if err := view.Get(context.Background(), [][]byte{[]byte("p")}, nil, 2001e6, &a); err != nil {
		t.Fatal(err)
	}
	if got := a.Column(0).I[0]; got != 2 {
		t.Errorf("count %d, want 2", got)
	}
}
