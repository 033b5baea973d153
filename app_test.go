package spillway_test

import (
	"bytes"
	"context"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spillway-go/spillway"
	"github.com/spillway-go/spillway/examples/fraud/cards"
	"github.com/spillway-go/spillway/pipeline"
)

var app = &spillway.App{Pipelines: []*pipeline.Pipeline{cards.CardActivity, cards.CardMinutes}}

// run runs one command line in the folder and gives what it printed and its exit code.
func run(t *testing.T, dir string, args ...string) (out, errs string, code int) {
	t.Helper()
	var o, e bytes.Buffer
	code = app.RunTo(t.Context(), append(args, "--data-dir", dir), &o, &e)
	return o.String(), e.String(), code
}

// write makes a file of so many payments.
func write(t *testing.T, path string, n int) string {
	t.Helper()
	var text bytes.Buffer
	if err := cards.Generate(&text, n, 7); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, text.Bytes(), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestMainJob runs the main job on embedded parts: both pipelines of the fraud example must agree with their batch.
func TestMainJob(t *testing.T) {
	dir := t.TempDir()
	payments := write(t, filepath.Join(dir, "payments.jsonl"), 3000)
	for _, step := range [][]string{
		{"load", "payments", payments, "--timestamp-field", "arrived"},
		{"stream", "--until-end"},
		{"archive", "--until-end"},
		{"archive", "--until-end"}, // it finds nothing to add
		{"stream", "--until-end"},
		{"batch", "card_activity", "--reading", "served"},
		{"batch", "--from", "2026-03-01", "--to", "2026-03-02"},
		{"reconcile", "card_activity", "--html", filepath.Join(dir, "a.html"), "--json", filepath.Join(dir, "a.json")},
		{"reconcile", "card_minutes"},
	} {
		if out, errs, code := run(t, dir, step...); code != 0 {
			t.Fatalf("%v ended with %d\n%s%s", step, code, out, errs)
		}
	}
	heads := map[string]string{
		"stream": "key,ask_time,partition,offset,revision,count_5m,spend_1h,merchants_1h,abroad_1h\n",
		"served": "key,ask_time,partition,offset,revision,count_5m,spend_1h,merchants_1h,abroad_1h\n",
		"truth":  "key,ask_time,partition,offset,revision,count_5m,spend_1h,merchants_1h,abroad_1h,mean_90d\n",
	}
	for layer, head := range heads {
		out, errs, code := run(t, dir, "rows", "card_activity", "--layer", layer, "--format", "csv")
		if code != 0 || !strings.HasPrefix(out, head) {
			t.Errorf("layer %s: exit code %d, %.100q, want %q\n%s", layer, code, out, head, errs)
		}
	}
	count := func(args ...string) int {
		out, errs, code := run(t, dir, append([]string{"rows"}, args...)...)
		if code != 0 {
			t.Fatalf("rows %v ended with %d\n%s", args, code, errs)
		}
		return strings.Count(out, "\n")
	}
	if stream, served := count("card_activity"), count("card_activity", "--layer", "served"); stream == 0 || stream != served {
		t.Errorf("the stream has %d rows, and as served %d", stream, served)
	}
	all, last := count("card_minutes", "--revisions", "all"), count("card_minutes")
	if first := count("card_minutes", "--revisions", "first"); first != last || last >= all {
		t.Errorf("of %d rows of ticks, %d are first and %d last revisions", all, first, last)
	}
}

// TestInterrupted calls every command with a context that has ended: those that last end well, the others are not done.
func TestInterrupted(t *testing.T) {
	dir := t.TempDir()
	payments := write(t, filepath.Join(dir, "payments.jsonl"), 500)
	for _, step := range []string{
		"load payments " + payments + " --timestamp-field arrived", "stream --until-end", "archive --until-end", "batch",
	} {
		if _, errs, code := run(t, dir, strings.Fields(step)...); code != 0 {
			t.Fatalf("%s ended with %d\n%s", step, code, errs)
		}
	}
	labels := filepath.Join(dir, "labels.csv")
	if err := os.WriteFile(labels, []byte("card,label_time\nc001,2026-03-01T08:01:00Z\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	for _, c := range []struct {
		args string
		code int
	}{
		{"dev --listen 127.0.0.1:0", 0},
		{"stream", 0},
		{"archive", 0},
		{"schedule", 0},
		{"serve --listen 127.0.0.1:0", 0},
		{"stream --until-end", 2},
		{"archive --until-end", 2},
		{"load payments " + payments, 2},
		{"batch", 2},
		{"reconcile card_activity", 2},
		{"rows card_activity", 2},
		{"rows card_activity --layer truth", 2},
		{"training card_activity --labels " + labels + " --out " + filepath.Join(dir, "out.csv"), 2},
	} {
		var out, errs bytes.Buffer
		code := app.RunTo(ctx, append(strings.Fields(c.args), "--data-dir", dir), &out, &errs)
		if told := strings.Contains(errs.String(), "interrupted"); code != c.code || told != (code == 2) {
			t.Errorf("%s: exit code %d, wanted %d\n%s%s", c.args, code, c.code, &out, &errs)
		}
	}
}

// TestMistakes calls the program wrongly, as people do.
func TestMistakes(t *testing.T) {
	dir := t.TempDir()
	labels := filepath.Join(dir, "labels.csv")
	if err := os.WriteFile(labels, []byte("card,when\nc1,2026-01-01T00:00:00Z\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad.yaml")
	if err := os.WriteFile(bad, []byte("brokres: [x]\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, m := range []struct {
		args string
		want string
	}{
		{"strem", `did you mean "stream"?`},
		{"stream --untilend", `did you mean "--until-end"?`},
		{"explain card_activty", ""},
		{"batch card_activty", `did you mean "card_activity"?`},
		{"stream --config " + bad, `did you mean "brokers"?`},
		{"stream --config nowhere.yaml", "nowhere.yaml: cannot be read"},
		{"stream --record-format jsn", `did you mean "json"?`},
		{"stream --record-format avro", "has no schema; give the file with avro_schema"},
		{"batch --from 2026-01-02 --to 2026-01-01", "ends before it begins"},
		{"batch --from yesterday", "is no time; write it as"},
		{"batch --reading truht", `use "truth" or "served"`},
		{"batch card_activity", "payments"}, // no archive
		{"batch card_activity --memory much", "is no size; write it as in 2GB"},
		{"stream", `topic "payments": does not exist`},
		{"load payments", "takes a topic and at least one file"},
		{"load payments nothing.txt", "nothing.txt"},
		{"rows card_activity --layer steam", `did you mean "stream"?`},
		{"rows card_activity --layer truth", "card_activity"},
		{"training card_activity", "give both --labels and --out"},
		{"training card_activity --out x.csv --labels " + labels, "label_time"},
		{"reconcile", "takes the name of one pipeline, and got 0; name one of: card_activity, card_minutes"},
		{"rows card_activity card_minutes", "takes the name of one pipeline, and got 2"},
		{"version now", `takes no arguments, and got "now"`},
		{"serve --listen nowhere:99999", "99999"},
	} {
		out, errs, code := run(t, dir, strings.Fields(m.args)...)
		if m.want == "" {
			m.want = "did you mean"
		}
		if code != 2 || !strings.Contains(errs, m.want) {
			t.Errorf("%s: exit code %d, wanted 2 and %q\n%s%s", m.args, code, m.want, out, errs)
		}
	}
}
