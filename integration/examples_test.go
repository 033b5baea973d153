//go:build integration

package integration

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spillway-go/spillway/examples/glucose/replay"
	"github.com/spillway-go/spillway/integration/real"
)

// example is the whole of an example's work, on a broker of its own.
type example struct {
	name      string
	topic     string
	load      []string // flags of load
	pipelines []string
	labels    string // of the first pipeline
	key       string // one that has features
	write     func(t *testing.T, path string)
}

var examples = []example{
	{
		name: "glucose", topic: "glucose", pipelines: []string{"glucose_control"}, key: "1636-69-001",
		load:   []string{"--timestamp-field", replay.ArrivalField, "--partition-field", replay.PartitionField, "--partitions", "4"},
		labels: "subject,label_time\n1636-69-001,2026-01-10T12:00:00Z\n",
		write: func(t *testing.T, path string) {
			people, err := replay.Open(replay.Options{Seed: 1, Scale: 1, Partitions: 4})
			if err != nil {
				t.Fatal(err)
			}
			f, err := os.Create(path)
			if err != nil {
				t.Fatal(err)
			}
			defer f.Close()
			if _, err := people.WriteJSONLines(f); err != nil {
				t.Fatal(err)
			}
		},
	},
	{
		name: "fraud", topic: "payments", pipelines: []string{"card_activity", "card_minutes"}, key: "c001",
		load:   []string{"--timestamp-field", "arrived"},
		labels: "card,label_time\nc001,2026-03-01T09:00:00Z\n",
		write: func(t *testing.T, path string) {
			out, err := exec.Command(filepath.Join(binaries, "fraud"), "generate").Output()
			if err != nil {
				t.Fatal(err)
			}
			if err := os.WriteFile(path, out, 0o600); err != nil {
				t.Fatal(err)
			}
		},
	},
}

// TestExamples takes each example from a file of records to the report, as its user does: every command in a process of its
// own, against a broker that others could read too.
func TestExamples(t *testing.T) {
	for _, e := range examples {
		t.Run(e.name, func(t *testing.T) { e.run(t, real.StartKafka(t)) })
	}
}

func (e *example) run(t *testing.T, broker *real.Kafka) {
	data := t.TempDir()
	command := func(args ...string) *exec.Cmd {
		cmd := exec.Command(filepath.Join(binaries, e.name), append(args, "--brokers", broker.Addr(), "--data-dir", data)...)
		cmd.Dir = data
		return cmd
	}
	run := func(args ...string) []byte {
		t.Helper()
		var errs bytes.Buffer
		cmd := command(args...)
		cmd.Stderr = &errs
		out, err := cmd.Output()
		if err != nil {
			t.Fatalf("%v: %v\n%s%s", args, err, out, &errs)
		}
		return out
	}
	records, labels := filepath.Join(data, "records.jsonl"), filepath.Join(data, "labels.csv")
	e.write(t, records)
	if err := os.WriteFile(labels, []byte(e.labels), 0o600); err != nil {
		t.Fatal(err)
	}
	run(append([]string{"load", e.topic, records}, e.load...)...)
	run("stream", "--until-end")
	run("archive", "--until-end")
	for _, p := range e.pipelines {
		run("batch", p)
		report := filepath.Join(data, p+".json")
		run("reconcile", p, "--json", report)
		explained(t, report)
		layer := func(name string) []string {
			lines := strings.Split(strings.TrimSpace(string(run("rows", p, "--layer", name, "--revisions", "all"))), "\n")
			slices.Sort(lines)
			return lines
		}
		if stream, served := layer("stream"), layer("served"); len(stream) < 1000 || !slices.Equal(stream, served) {
			t.Errorf("%s: %d rows of the stream, %d as served, and they differ or are few", p, len(stream), len(served))
		}
	}
	set := filepath.Join(data, "set.csv")
	run("training", e.pipelines[0], "--labels", labels, "--out", set)
	if text, err := os.ReadFile(set); err != nil || bytes.Count(text, []byte("\n")) != 2 {
		t.Errorf("the training set is %q, %v", text, err)
	}
	e.serve(t, command("serve", "--listen", "127.0.0.1:0"))
}

// explained holds the report of a reconciliation to what both examples must show.
func explained(t *testing.T, path string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	var r struct {
		Identity struct{ Compared, Agreed int64 }
		Lateness struct{ Answers, Agreed int64 }
		Causes   []struct {
			Cause       string
			Differences int64
		}
	}
	if err := json.Unmarshal(text, &r); err != nil {
		t.Fatal(err)
	}
	if r.Identity.Compared < 1000 || r.Identity.Agreed != r.Identity.Compared {
		t.Errorf("%s: %+v", path, r.Identity)
	}
	// Both examples have late records: a report that finds no difference compared nothing.
	if r.Lateness.Answers == r.Lateness.Agreed {
		t.Errorf("%s: lateness cost nothing: %+v", path, r.Lateness)
	}
	for _, c := range r.Causes {
		if c.Cause == "unexplained" && c.Differences != 0 {
			t.Errorf("%s: %d differences are unexplained", path, c.Differences)
		}
	}
}

// serve starts the server, waits until it has read all, asks it for a key and stops it.
func (e *example) serve(t *testing.T, cmd *exec.Cmd) {
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	p := &process{cmd}
	defer p.end(t, syscall.SIGTERM)
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		t.Fatal(err)
	}
	url := strings.TrimSpace(strings.TrimPrefix(line, "serving on "))
	ready(t, url)
	resp, err := http.Get(url + "/v1/features/" + e.pipelines[0] + "/" + e.key)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	var answer struct {
		Pipeline string
		Key      string
		Features map[string]struct{ Value any }
	}
	if err := json.NewDecoder(resp.Body).Decode(&answer); err != nil {
		t.Fatal(err)
	}
	if answer.Key != e.key || len(answer.Features) == 0 {
		t.Errorf("the server answers %+v", answer)
	}
}

// ready waits until the server has read what was there when it started.
func ready(t *testing.T, url string) {
	t.Helper()
	look := time.NewTicker(50 * time.Millisecond)
	defer look.Stop()
	late := time.After(time.Minute)
	for {
		resp, err := http.Get(url + "/readyz")
		if err != nil {
			t.Fatal(err)
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return
		}
		select {
		case <-look.C:
		case <-late:
			t.Fatalf("the server is not ready after a minute: %s", resp.Status)
		}
	}
}
