package spillway

import (
	"io"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"
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
