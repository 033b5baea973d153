package main

import (
	"bytes"
	"slices"
	"strings"
	"testing"

	"github.com/spillway-go/spillway"
	"github.com/spillway-go/spillway/pipeline"
)

// want are the rows of visits.jsonl: ann sees the first page again 45 minutes later, when nothing else is in the window.
const want = `
{"key":"ann","ask_time":"2026-05-04T10:00:00.000000Z","partition":2,"offset":0,"revision":0,"visits_30m":1,"pages_30m":1,"seconds_30m":12}
{"key":"bob","ask_time":"2026-05-04T10:00:05.000000Z","partition":2,"offset":1,"revision":0,"visits_30m":1,"pages_30m":1,"seconds_30m":40}
{"key":"ann","ask_time":"2026-05-04T10:00:12.000000Z","partition":2,"offset":2,"revision":0,"visits_30m":2,"pages_30m":2,"seconds_30m":107}
{"key":"ann","ask_time":"2026-05-04T10:45:00.000000Z","partition":2,"offset":3,"revision":0,"visits_30m":1,"pages_30m":1,"seconds_30m":3}
`

// TestRun runs the pipeline both ways, by the public API only, and reconciles.
func TestRun(t *testing.T) {
	app := &spillway.App{Pipelines: []*pipeline.Pipeline{PageVisits}}
	dir := t.TempDir()
	var out bytes.Buffer
	for _, step := range []string{
		"load visits visits.jsonl",
		"stream --until-end",
		"archive --until-end",
		"batch page_visits",
		"reconcile page_visits",
		"rows page_visits --layer stream",
		"rows page_visits --layer truth",
	} {
		out.Reset()
		var errs bytes.Buffer
		if code := app.RunTo(t.Context(), append(strings.Fields(step), "--data-dir", dir), &out, &errs); code != 0 {
			t.Fatalf("%s ended with %d\n%s%s", step, code, &out, &errs)
		}
		if strings.HasPrefix(step, "rows") && sorted(out.String()) != sorted(want) {
			t.Errorf("%s:%s\nwant%s", step, "\n"+out.String(), want)
		}
	}
}

// sorted is the lines in the order of their texts: the layers give them in orders of their own.
func sorted(text string) string {
	lines := strings.Split(strings.TrimSpace(text), "\n")
	slices.Sort(lines)
	return strings.Join(lines, "\n")
}
