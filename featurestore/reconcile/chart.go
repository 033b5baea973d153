package reconcile

import "fmt"

// The drawing of a timeline, in units of its own.
const (
	chartWidth  = 480
	chartLeft   = 8   // of the time axis
	chartRight  = 470 // of the ask
	streamLane  = 34
	batchLane   = 80
	firstWindow = 112
	windowStep  = 22
	labelLetter = 6.5 // the width of a letter, about
	letterSpace = 14  // letters closer than this would cover each other
)

// chart draws a timeline: one lane for what the stream knew, one for what the batch knows, the windows below.
type chart struct {
	Width, Height, Left, Right, Axis int
	Stream, Batch, Between           int // the lanes, and the letters between them
	Alt                              string
	Dots                             []dot
	Windows                          []bar
	From, To                         string
}

// dot is one event.
type dot struct {
	X             string
	Class         string // of its cause, for its colour
	Stream, Batch bool   // filled in the lane, otherwise a ring
	Letter, Title string
}

// bar is a window.
type bar struct {
	X, Width, End string // End is where the label ends
	Y, Text       int
	Label         string
}

// newChart lays out a timeline, or gives nil when there is nothing to draw.
func newChart(t *Timeline, rows []eventRow) *chart {
	if len(t.Windows) == 0 || len(t.Events) == 0 {
		return nil
	}
	from, to := t.ask, t.ask
	for _, w := range t.Windows {
		from = min(from, w.from)
	}
	for i := range t.Events {
		from = min(from, t.Events[i].at)
		to = max(to, t.Events[i].at)
	}
	scale := func(at int64) float64 {
		if to == from {
			return chartRight
		}
		return chartLeft + (chartRight-chartLeft)*(float64(at)-float64(from))/(float64(to)-float64(from))
	}
	c := &chart{
		Width: chartWidth, Left: chartLeft, Right: chartRight,
		Stream: streamLane, Batch: batchLane, Between: (streamLane+batchLane)/2 + 4,
		Axis: firstWindow + windowStep*len(t.Windows), From: spaced(clock(from)), To: spaced(clock(t.ask)),
	}
	c.Height = c.Axis + 22
	known, counted, last := 0, 0, -1e9
	for i := range t.Events {
		e := &t.Events[i]
		x := scale(e.at)
		d := dot{
			X: coordinate(x), Class: rows[i].Cause, Stream: e.Stream, Batch: e.Batch,
			Title: shorten(e.ID, 60) + " " + spaced(e.Time) + ", " + e.Class,
		}
		if rows[i].Letter != "" && x-last >= letterSpace {
			d.Letter, last = rows[i].Letter, x
		}
		if e.Stream {
			known++
		}
		if e.Batch {
			counted++
		}
		c.Dots = append(c.Dots, d)
	}
	for i, w := range t.Windows {
		label := w.Name + ": " + w.Features[0]
		if n := len(w.Features); n > 1 {
			label += fmt.Sprintf(" and %d more", n-1)
		}
		// The label stands in the bar, or before one that is too short for it.
		x, end := scale(w.from), chartRight-6.0
		if space := labelLetter*float64(len(label)) + 12; end-x < space && x > chartLeft+space {
			end = x - 6
		}
		y := firstWindow + windowStep*i
		c.Windows = append(c.Windows, bar{
			X: coordinate(x), Width: coordinate(scale(t.ask) - x), End: coordinate(end), Y: y, Text: y + 11, Label: label,
		})
	}
	c.Alt = fmt.Sprintf("Timeline of %d events up to the ask: the stream knew %d of them, the batch counts %d. "+
		"The table below has the same.", len(t.Events), known, counted)
	return c
}

func coordinate(x float64) string { return fmt.Sprintf("%.1f", x) }
