package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spillway-go/spillway"
	"github.com/spillway-go/spillway/examples/glucose/replay"
)

// pipelineName is the pipeline of the example.
const pipelineName = "glucose_control"

// demoPartitions is into how many partitions the demo's topic is split.
const demoPartitions = 4

// demo runs the example's main job on embedded parts: it loads the readings as phones would have sent them, answers them
// live, archives them, runs the night's batch, serves both, and reconciles.
func demo(ctx context.Context, app *spillway.App, out io.Writer, args []string) int {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	scale := flags.Int("scale", 1, "how many times the 19 people take part")
	seed := flags.Uint64("seed", 1, "of the arrival times, which are made up")
	folder := flags.String("dir", usualFolder, "folder of the demo; it is emptied first")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	d := &demonstration{app: app, out: out, folder: *folder, options: replay.Options{Seed: *seed, Scale: *scale, Partitions: demoPartitions}}
	if err := d.run(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return 2
	}
	return 0
}

type demonstration struct {
	app     *spillway.App
	out     io.Writer
	folder  string
	options replay.Options
}

func (d *demonstration) run(ctx context.Context) error {
	if err := d.empty(); err != nil {
		return err
	}
	began := time.Now()
	d.say("Glucose readings of real people, one every five minutes, as their phones would have sent them: some hours late,",
		"some twice, a few broken. When each arrived is made up, from a seed; the readings are not.")
	readings := filepath.Join(d.folder, "readings.jsonl")
	if err := d.write(readings); err != nil {
		return err
	}
	rows := filepath.Join(d.folder, rowsFile)
	for _, s := range []struct {
		why  []string
		args []string
	}{
		{
			[]string{"Send them to a Kafka topic, exactly as they arrived. The broker runs within this process."},
			[]string{"load", "glucose", readings, "--timestamp-field", replay.ArrivalField, "--partition-field", replay.PartitionField},
		},
		{
			[]string{"Answer each reading as it arrives: trend, and share in and below range, over the last half hour."},
			[]string{"stream", "--until-end"},
		},
		{
			[]string{"Copy the topic into an Iceberg table, every record exactly once."},
			[]string{"archive", "--until-end"},
		},
		{
			[]string{"At night, answer everything again from that table, where late readings are in their place, and compute", "what changes over days: mean, variability and time in range of 14 days."},
			[]string{"batch", pipelineName, "--reading", "truth"},
		},
		{
			[]string{"Write out what the stream has answered."},
			[]string{"rows", pipelineName, "--layer", "stream", "--format", "jsonl", "--out", rows},
		},
	} {
		d.say(s.why...)
		if err := d.step(ctx, s.args...); err != nil {
			return err
		}
	}
	d.say("Serve the live features, and the night's beside them: the person whose reading came last, a minute later.")
	if err := d.serve(ctx); err != nil {
		return err
	}
	d.say("Compare what the stream answered with what the history says, and prove the cause of every difference.")
	page, report := filepath.Join(d.folder, "report.html"), filepath.Join(d.folder, "report.json")
	if err := d.step(ctx, "reconcile", pipelineName, "--html", page, "--json", report); err != nil {
		return err
	}
	return d.conclude(page, report, time.Since(began))
}

// marker is a file that says that the folder is the demo's, to be emptied by the next one.
const marker = "made-by-demo"

// usualFolder is the demo's own, by its name.
var usualFolder = filepath.Join(".spillway", "demo")

// empty makes an empty folder. One that holds anything else than a demo is left alone.
func (d *demonstration) empty() error {
	found, err := os.ReadDir(d.folder)
	if err == nil && len(found) > 0 {
		if _, err := os.Stat(filepath.Join(d.folder, marker)); err != nil && d.folder != usualFolder {
			return fmt.Errorf("folder %s: holds something else than a demo; remove it, or choose another with -dir", d.folder)
		}
		if err := os.RemoveAll(d.folder); err != nil {
			return err
		}
	}
	if err := os.MkdirAll(d.folder, 0o755); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(d.folder, marker), nil, 0o644)
}

// say tells what comes next.
func (d *demonstration) say(lines ...string) { fmt.Fprintln(d.out, "\n# "+strings.Join(lines, "\n# ")) }

// write writes the records as phones sent them.
func (d *demonstration) write(path string) error {
	people, err := replay.Open(d.options)
	if err != nil {
		return err
	}
	f, err := os.Create(path)
	if err != nil {
		return err
	}
	n, err := people.WriteJSONLines(f)
	if err != nil {
		return err
	}
	fmt.Fprintf(d.out, "wrote %d records of %d readings to %s\n", n, people.Readings(), path)
	return f.Close()
}

// step runs one command line, after showing it.
func (d *demonstration) step(ctx context.Context, args ...string) error {
	args = append(args, "--data-dir", d.folder)
	fmt.Fprintln(d.out, "$ glucose "+strings.Join(args, " "))
	if code := d.app.RunTo(ctx, args, d.out, os.Stderr); code != 0 {
		return fmt.Errorf("%s ended with exit code %d", args[0], code)
	}
	return nil
}

// conclude says what the demo has shown: the report's path, and three numbers.
func (d *demonstration) conclude(page, report string, took time.Duration) error {
	text, err := os.ReadFile(report)
	if err != nil {
		return err
	}
	var r struct {
		Identity struct{ Compared, Agreed int64 }
		Lateness struct {
			Answers, Agreed int64
			Share           float64
		}
		Causes []struct {
			Cause       string
			Differences int64
		}
	}
	if err := json.Unmarshal(text, &r); err != nil {
		return err
	}
	unexplained := int64(0)
	for _, c := range r.Causes {
		if c.Cause == "unexplained" {
			unexplained = c.Differences
		}
	}
	w, err := d.warnings()
	if err != nil {
		return err
	}
	path, err := filepath.Abs(page)
	if err != nil {
		return err
	}
	d.say("Would a person have been warned of glucose below 70 mg/dl in time? The rule of control/rule.go, over the stream's rows:")
	fmt.Fprintf(d.out, "it says to act %d times, %d of them with such a reading within the next half hour;\n", w.alerts, w.right)
	fmt.Fprintf(d.out, "%d of %d dangers are foretold, that is, the alert comes before the reading\n", w.foretold, w.dangers)
	d.say(fmt.Sprintf("All of it took %v. The report opens in a browser.", took.Round(100*time.Millisecond)))
	fmt.Fprintf(d.out, "report: %s\nunexplained: %d\n", path, unexplained)
	fmt.Fprintf(d.out, "  %d of %d rows of the stream agree with the batch to the bit\n", r.Identity.Agreed, r.Identity.Compared)
	fmt.Fprintf(d.out, "  lateness cost %d of %d answers (%.2f %%)\n", r.Lateness.Answers-r.Lateness.Agreed, r.Lateness.Answers, 100*r.Lateness.Share)
	fmt.Fprintf(d.out, "  median of %d dangers to their alert: %s live, %s by the nightly batch alone\n", w.dangers, relative(w.live), relative(w.nightly))
	return nil
}

// relative says how long after a danger, or before it, its alert came.
func relative(minutes float64) string {
	if minutes < 0 {
		return fmt.Sprintf("%.1f minutes (%.1f before the danger)", minutes, -minutes)
	}
	return fmt.Sprintf("%.1f minutes", minutes)
}
