package spillway

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/spillway-go/spillway/batch"
	"github.com/spillway-go/spillway/examples/fraud/cards"
	"github.com/spillway-go/spillway/pipeline"
)

// TestPublishedRun runs the batch as of two times, the later first: what is published of the second must be its own values,
// each key once, though the table keeps those of both.
func TestPublishedRun(t *testing.T) {
	dir := t.TempDir()
	payments := filepath.Join(dir, "payments.jsonl")
	var text bytes.Buffer
	if err := cards.Generate(&text, 2000, 3); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(payments, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	app := &App{Pipelines: []*pipeline.Pipeline{cards.CardActivity}}
	for _, step := range [][]string{
		{"load", "payments", payments, "--timestamp-field", "arrived"},
		{"archive", "--until-end"},
		{"batch", "card_activity", "--to", "2026-03-01T08:15:00Z"},
		{"batch", "card_activity", "--to", "2026-03-01T08:10:00Z"},
	} {
		var errs bytes.Buffer
		if code := app.RunTo(t.Context(), append(step, "--data-dir", dir), &bytes.Buffer{}, &errs); code != 0 {
			t.Fatalf("%v ended with %d\n%s", step, code, &errs)
		}
	}
	plan, err := cards.CardActivity.Plan()
	if err != nil {
		t.Fatal(err)
	}
	lake, err := openLake(t.Context(), &Config{DataDir: dir})
	if err != nil {
		t.Fatal(err)
	}
	defer lake.Close()
	table, err := lake.ReadFeatures(t.Context(), plan.Name, batch.HistoricalTable)
	if err != nil {
		t.Fatal(err)
	}
	snap, err := table.Snapshot(t.Context(), 0)
	if err != nil {
		t.Fatal(err)
	}
	want := time.Date(2026, 3, 1, 8, 10, 0, 0, time.UTC)
	if got := time.UnixMicro(snap.Run.Interval.From).UTC(); !got.Equal(want) {
		t.Errorf("the values are as of %v, want %v", got, want)
	}
	seen := map[string]int{}
	for rows, err := range historicalRows(runRows(t.Context(), snap, plan), plan) {
		if err != nil {
			t.Fatal(err)
		}
		for i := range rows.Keys.Len() {
			seen[string(rows.Keys.At(i))]++
		}
	}
	if len(seen) == 0 {
		t.Fatal("nothing is published")
	}
	for key, n := range seen {
		if n != 1 {
			t.Errorf("key %s is published %d times", key, n)
		}
	}
}
