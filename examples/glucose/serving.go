package main

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"time"

	"github.com/spillway-go/spillway/examples/glucose/control"
)

// patience is how long the demo waits for a server whose answer stays the same. One that still reads says how far it is.
const patience = time.Minute

// serve asks the server for a person's features, and the rule about them.
func (d *demonstration) serve(ctx context.Context) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	args := []string{"serve", "--listen", "127.0.0.1:0", "--data-dir", d.folder}
	fmt.Fprintln(d.out, "$ glucose "+strings.Join(args, " "))
	out, in := io.Pipe()
	ended := make(chan int, 1)
	go func() {
		code := d.app.RunTo(ctx, args, in, os.Stderr)
		_ = in.Close()
		ended <- code
	}()
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		return fmt.Errorf("serve ended with exit code %d", <-ended)
	}
	go func() { _, _ = io.Copy(io.Discard, out) }()
	fmt.Fprint(d.out, line)
	asked := d.ask(ctx, strings.TrimSpace(strings.TrimPrefix(line, "serving on ")))
	stop()
	if code := <-ended; asked == nil && code != 0 {
		return fmt.Errorf("serve ended with exit code %d", code)
	}
	return asked
}

// ask shows the features of the person whose reading came last, as they were a minute later, and what the rule says.
func (d *demonstration) ask(ctx context.Context, server string) error {
	if err := wait(ctx, server+"/readyz", func(status int, _ []byte) bool { return status == http.StatusOK }, nil); err != nil {
		return err
	}
	var last row
	if err := d.eachRow(func(r *row) {
		if r.Ask.After(last.Ask) {
			last = *r
		}
	}); err != nil {
		return err
	}
	path := fmt.Sprintf("%s/v1/features/%s/%s?as_of=%s", server, pipelineName, url.PathEscape(last.Subject),
		last.Ask.Add(time.Minute).Format(time.RFC3339))
	fmt.Fprintf(d.out, "$ curl '%s'\n", path)
	var answer []byte
	merged := func(status int, body []byte) bool { // the night's values are taken up a moment after the start
		return status == http.StatusOK && !bytes.Contains(body, []byte("NOT_FOUND"))
	}
	if err := wait(ctx, path, merged, &answer); err != nil {
		return err
	}
	fmt.Fprintf(d.out, "%s\n", answer)
	return d.judge(answer)
}

// judge asks the rule about an answer of the server's: it is over the features of both layers.
func (d *demonstration) judge(answer []byte) error {
	var a struct {
		Features map[string]struct{ Value *float64 }
	}
	if err := json.Unmarshal(answer, &a); err != nil {
		return err
	}
	value := func(name string) *float64 { return a.Features[name].Value }
	alert, why := control.Alert(&control.Control{
		Glucose: value("glucose"), Trend: value("trend"), Mean14d: value("mean_14d"), StdDev14d: value("stddev_14d"),
	})
	verdict := "no alert"
	if alert {
		verdict = "ALERT"
	}
	fmt.Fprintf(d.out, "the rule over both layers: %s: %s\n", verdict, why)
	return nil
}

// wait asks until the answer will do, and keeps it.
func wait(ctx context.Context, url string, will func(status int, body []byte) bool, keep *[]byte) error {
	var before []byte
	for since := time.Now(); ; {
		status, body, err := get(ctx, url)
		if err != nil {
			return err
		}
		if will(status, body) {
			if keep != nil {
				*keep = body
			}
			return nil
		}
		if !bytes.Equal(body, before) {
			before, since = body, time.Now()
		}
		if time.Since(since) > patience {
			return fmt.Errorf("GET %s: after %v it still says: %s", url, patience, body)
		}
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-time.After(50 * time.Millisecond):
		}
	}
}

func get(ctx context.Context, url string) (status int, body []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, url, nil)
	if err != nil {
		return 0, nil, err
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err = io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}
