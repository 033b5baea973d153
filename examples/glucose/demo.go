package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	neturl "net/url"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/spillway-go/spillway"
	"github.com/spillway-go/spillway/examples/glucose/replay"
)

// demoPartitions is into how many partitions the demo's topic is split.
const demoPartitions = 4

// demo runs the example's main job on embedded parts: it loads the readings as phones would have sent them, answers them
// live, archives them, runs the night's batch, serves both, and reconciles.
func demo(app *spillway.App, args []string) int {
	flags := flag.NewFlagSet("demo", flag.ContinueOnError)
	scale := flags.Int("scale", 1, "how many times the 19 people take part")
	seed := flags.Uint64("seed", 1, "of the arrival times, which are made up")
	folder := flags.String("dir", filepath.Join(".spillway", "demo"), "folder of the demo; it is emptied first")
	if err := flags.Parse(args); err != nil {
		return 2
	}
	d := &demonstration{app: app, folder: *folder, options: replay.Options{Seed: *seed, Scale: *scale, Partitions: demoPartitions}}
	if err := d.run(context.Background()); err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		return 1
	}
	return 0
}

type demonstration struct {
	app     *spillway.App
	folder  string
	options replay.Options
}

func (d *demonstration) run(ctx context.Context) error {
	if err := os.RemoveAll(d.folder); err != nil {
		return err
	}
	if err := os.MkdirAll(d.folder, 0o755); err != nil {
		return err
	}
	readings := filepath.Join(d.folder, "readings.jsonl")
	if err := d.write(readings); err != nil {
		return err
	}
	const pipeline = "glucose_control"
	for _, step := range [][]string{
		{"load", "glucose", readings, "--timestamp-field", replay.ArrivalField, "--partition-field", replay.PartitionField},
		{"stream", "--until-end"},
		{"archive", "--until-end"},
		{"batch", pipeline, "--reading", "truth"},
	} {
		if err := d.step(ctx, step...); err != nil {
			return err
		}
	}
	if err := d.step(ctx, "rows", pipeline, "--layer", "stream", "--format", "jsonl", "--out", filepath.Join(d.folder, rowsFile)); err != nil {
		return err
	}
	if err := d.serve(ctx); err != nil {
		return err
	}
	page, report := filepath.Join(d.folder, "report.html"), filepath.Join(d.folder, "report.json")
	if err := d.step(ctx, "reconcile", pipeline, "--html", page, "--json", report); err != nil {
		return err
	}
	return d.conclude(page, report)
}

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
	fmt.Printf("$ wrote %d records of %d readings to %s\n", n, people.Readings(), path)
	return f.Close()
}

// step runs one command line, after showing it.
func (d *demonstration) step(ctx context.Context, args ...string) error {
	fmt.Println("\n$ " + strings.Join(args, " "))
	if code := d.app.Run(ctx, append(args, "--data-dir", d.folder)); code != 0 {
		return fmt.Errorf("%s ended with exit code %d", args[0], code)
	}
	return nil
}

// serve asks the server for a person's features, and the rule about them.
func (d *demonstration) serve(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	address := "127.0.0.1:0"
	out, in := io.Pipe()
	ended := make(chan int, 1)
	fmt.Println("\n$ serve")
	go func() {
		code := d.app.RunTo(ctx, []string{"serve", "--listen", address, "--data-dir", d.folder}, in, os.Stderr)
		_ = in.Close()
		ended <- code
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("serve ended with exit code %d", <-ended)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	fmt.Print(line)
	url := strings.TrimSpace(strings.TrimPrefix(line, "serving on "))
	if err := d.ask(ctx, url); err != nil {
		return err
	}
	stop()
	<-ended
	return nil
}

// ask shows the features of the person whose reading came last, as they were a minute later, and what the rule says.
func (d *demonstration) ask(ctx context.Context, url string) error {
	if err := ready(ctx, url); err != nil {
		return err
	}
	rows, err := d.rows()
	if err != nil {
		return err
	}
	last := rows[0]
	for _, r := range rows {
		if r.Ask.After(last.Ask) {
			last = r
		}
	}
	path := fmt.Sprintf("%s/v1/features/glucose_control/%s?as_of=%s", url, neturl.PathEscape(last.Subject),
		last.Ask.Add(time.Minute).Format(time.RFC3339))
	answer, err := d.merged(ctx, path)
	if err != nil {
		return err
	}
	fmt.Printf("GET %s\n%s\n", path, answer)
	return nil
}

// merged waits until the night's values are served beside the live ones, at most a minute.
func (d *demonstration) merged(ctx context.Context, url string) (answer []byte, err error) {
	for start := time.Now(); ; {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
		if err != nil {
			return nil, err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return nil, err
		}
		answer, err = io.ReadAll(resp.Body)
		resp.Body.Close()
		if err != nil {
			return nil, err
		}
		if resp.StatusCode != http.StatusOK {
			return nil, fmt.Errorf("%s: %s", resp.Status, answer)
		}
		if !bytes.Contains(answer, []byte("NOT_FOUND")) {
			return answer, nil
		}
		if time.Since(start) > time.Minute {
			return nil, fmt.Errorf("the night's values are not served: %s", answer)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// conclude says what the demo has shown: the report's path, and three numbers.
func (d *demonstration) conclude(page, report string) error {
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
	live, nightly, dangers, err := d.warnings()
	if err != nil {
		return err
	}
	path, err := filepath.Abs(page)
	if err != nil {
		return err
	}
	fmt.Printf("\nreport: %s\nunexplained: %d\n", path, unexplained)
	fmt.Printf("  %d of %d rows of the stream agree with the batch to the bit\n", r.Identity.Agreed, r.Identity.Compared)
	fmt.Printf("  lateness cost %d of %d answers (%.2f %%)\n", r.Lateness.Answers-r.Lateness.Agreed, r.Lateness.Answers, 100*r.Lateness.Share)
	fmt.Printf("  median of %d dangers to their alert: %.1f minutes live, %.0f minutes by the nightly batch alone\n", dangers, live, nightly)
	return nil
}

// ready waits until the server has read all that is there, at most a minute.
func ready(ctx context.Context, url string) error {
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	for {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, url+"/readyz", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		resp.Body.Close()
		if resp.StatusCode == http.StatusOK {
			return nil
		}
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(50 * time.Millisecond):
		}
	}
}
