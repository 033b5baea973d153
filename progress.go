package spillway

import (
	"fmt"
	"io"
	"os"
	"unicode/utf8"

	"github.com/dustin/go-humanize"
	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"github.com/spillway-go/spillway/batch"
)

// progress shows how far long work is, on standard error and only on a terminal.
type progress struct{ bar *progressbar.ProgressBar }

// progress begins to show work of so many records; -1 is of unknown length.
func (r *rooms) progress(what string, records int64) progress {
	if !terminal(r.err) {
		return progress{}
	}
	return progress{progressbar.NewOptions64(records,
		progressbar.OptionSetWriter(r.err),
		progressbar.OptionSetDescription(what),
		progressbar.OptionShowCount(),
		progressbar.OptionShowIts(),
		progressbar.OptionSetItsString("records"),
		progressbar.OptionClearOnFinish(),
		progressbar.OptionThrottle(200_000_000),
	)}
}

func terminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	return ok && term.IsTerminal(int(f.Fd()))
}

// add counts records that are done. A bar that cannot be drawn is no fault of the work.
func (p progress) add(records int64) {
	if p.bar != nil {
		_ = p.bar.Add64(records)
	}
}

func (p progress) done() {
	if p.bar != nil {
		_ = p.bar.Finish()
	}
}

// run shows on one line, which it writes anew, how far a batch run is; erase takes the line away. Both are nothing to do
// where nobody looks.
func (r *rooms) run(what string) (show func(batch.Progress), erase func()) {
	if !terminal(r.err) {
		return nil, func() {}
	}
	wrote := 0
	write := func(text string) {
		_, _ = fmt.Fprintf(r.err, "\r%-*s", wrote, text) // over the whole of the line before
		wrote = utf8.RuneCountInString(text)
	}
	show = func(p batch.Progress) {
		switch {
		case p.Rows == 0:
			write(what + ": " + p.Doing)
		case p.Of == 0:
			write(fmt.Sprintf("%s: %s, %s records", what, p.Doing, humanize.Comma(p.Rows)))
		default:
			write(fmt.Sprintf("%s: %s, %s of about %s records", what, p.Doing, humanize.Comma(p.Rows), humanize.Comma(p.Of)))
		}
	}
	return show, func() {
		write("")
		_, _ = fmt.Fprint(r.err, "\r")
	}
}
