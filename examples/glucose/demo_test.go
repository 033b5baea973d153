package main

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spillway-go/spillway"
	"github.com/spillway-go/spillway/examples/glucose/control"
	"github.com/spillway-go/spillway/pipeline"
)

var app = &spillway.App{Pipelines: []*pipeline.Pipeline{control.Glucose}}

// TestDemo runs the demo as `make demo` does. Its numbers depend on nothing but the readings, the seed and the definition.
func TestDemo(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "demo")
	var out bytes.Buffer
	if code := demo(t.Context(), app, &out, []string{"-dir", folder}); code != 0 {
		t.Fatalf("it ended with %d\n%s", code, &out)
	}
	report := filepath.Join(folder, "report.html")
	want := "report: " + report + `
unexplained: 0
  34774 of 34774 rows of the stream agree with the batch to the bit
  lateness cost 293 of 34890 answers (0.84 %)
  median of 90 dangers to their alert: -10.0 minutes (10.0 before the danger) live, 573.7 minutes by the nightly batch alone
`
	if !strings.HasSuffix(out.String(), want) {
		t.Errorf("it does not end with\n%s\nbut is\n%s", want, &out)
	}
	for _, part := range []string{"the rule over both layers: no alert", "68 of 90 dangers are foretold", `"layer":"historical"`} {
		if !strings.Contains(out.String(), part) {
			t.Errorf("nothing of %q in\n%s", part, &out)
		}
	}
	if page, err := os.ReadFile(report); err != nil || !bytes.Contains(page, []byte("</html>")) {
		t.Errorf("the report is no page: %v", err)
	}
}

// TestDemoSparesFolders runs the demo in a folder that is somebody's.
func TestDemoSparesFolders(t *testing.T) {
	folder := t.TempDir()
	thesis := filepath.Join(folder, "thesis.tex")
	if err := os.WriteFile(thesis, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if code := demo(t.Context(), app, &bytes.Buffer{}, []string{"-dir", folder}); code != 2 {
		t.Errorf("it ended with %d", code)
	}
	if _, err := os.Stat(thesis); err != nil {
		t.Error(err)
	}
}

func TestNightAfter(t *testing.T) {
	for at, want := range map[string]string{
		"2026-01-05T01:59:59Z": "2026-01-05T02:00:00Z",
		"2026-01-05T02:00:00Z": "2026-01-06T02:00:00Z", // it arrives as the batch begins: too late for it
		"2026-01-05T23:00:00Z": "2026-01-06T02:00:00Z",
	} {
		got, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		if night := nightAfter(got).Format(time.RFC3339); night != want {
			t.Errorf("after %s: %s, want %s", at, night, want)
		}
	}
}

func TestMedian(t *testing.T) {
	for _, c := range []struct {
		values []float64
		want   float64
	}{{nil, 0}, {[]float64{3}, 3}, {[]float64{9, 1, 3}, 3}, {[]float64{4, 1, 2, 9}, 3}} {
		if got := median(c.values); got != c.want {
			t.Errorf("%v: %v, want %v", c.values, got, c.want)
		}
	}
}
