package main

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"time"

	"github.com/spillway-go/spillway/examples/glucose/control"
	"github.com/spillway-go/spillway/examples/glucose/replay"
)

// rowsFile holds the stream's rows, in the demo's folder.
const rowsFile = "rows.jsonl"

// row is what the stream answered to one reading.
type row struct {
	Subject   string    `json:"key"`
	Ask       time.Time `json:"ask_time"`
	Partition int32     `json:"partition"`
	Offset    int64     `json:"offset"`
	Glucose   *float64  `json:"glucose"`
	Trend     *float64  `json:"trend"`
}

// eachRow gives the stream's rows, those of a person in the order of their arrival. A row is fn's until it returns.
func (d *demonstration) eachRow(fn func(*row)) error {
	f, err := os.Open(filepath.Join(d.folder, rowsFile))
	if err != nil {
		return err
	}
	defer f.Close()
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		var r row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return err
		}
		fn(&r)
	}
	return lines.Err()
}

// batchHour is the hour, in UTC, at which the nightly batch would have run.
const batchHour = 2

// aftermath is how long after a danger an alert may still be about it, and how long after an alert a low reading may be
// what it foretold.
const aftermath = 30 * time.Minute

// warnings is how well the rule warns. The rule sees the live features only: in the first nights there are no others.
type warnings struct {
	dangers  int // readings at which glucose falls below 70 mg/dl, after one at or above it
	foretold int // dangers with an alert that was raised before the reading was taken
	alerts   int // times that the rule begins to say to act
	right    int // alerts with a reading below 70 mg/dl at once or within the aftermath

	// The median minutes from a danger to the first alert about it: live, below zero when it came before, and by the
	// nightly batch alone. A danger without an alert of its own is found out by the batch in both.
	live, nightly float64
}

// warnings measures from the moments at which readings were taken to those at which their records arrived; that the stream
// answers some milliseconds later is left out. An alert is about a danger when the reading that raised it was taken within
// the rule's horizon before, or the aftermath behind. The nightly batch alone finds out at two in the morning after the
// danger's record arrived.
func (d *demonstration) warnings() (*warnings, error) {
	people, err := replay.Open(d.options)
	if err != nil {
		return nil, err
	}
	dangers := people.Dangers()
	arrivals, arrived, err := d.arrivals(dangers)
	if err != nil {
		return nil, err
	}
	w := &warnings{dangers: len(dangers)}
	alarms, err := d.alarms(arrivals, w)
	if err != nil {
		return nil, err
	}
	var soon, late []float64
	for i, danger := range dangers {
		night := nightAfter(arrived[i])
		first := night
		for _, a := range alarms[danger.Subject] {
			if a.about.After(danger.At.Add(-control.Horizon)) && a.about.Before(danger.At.Add(aftermath)) && a.raised.Before(first) {
				first = a.raised
			}
		}
		if first.Before(danger.At) {
			w.foretold++
		}
		soon = append(soon, first.Sub(danger.At).Minutes())
		late = append(late, night.Sub(danger.At).Minutes())
	}
	w.live, w.nightly = median(soon), median(late)
	return w, nil
}

func nightAfter(t time.Time) time.Time {
	night := time.Date(t.Year(), t.Month(), t.Day(), batchHour, 0, 0, 0, time.UTC)
	if !night.After(t) {
		night = night.AddDate(0, 0, 1)
	}
	return night
}

// alarm is one reading at which the rule says to act, and when it arrived.
type alarm struct{ about, raised time.Time }

// alarms are those of each person. It counts in w when an alarm begins an alert, and whether that was right.
func (d *demonstration) alarms(arrivals map[int32][]time.Time, w *warnings) (map[string][]alarm, error) {
	alarms := map[string][]alarm{}
	type person struct {
		alert bool      // the reading before said to act
		until time.Time // an alert is open until then, for a low reading to prove it right
	}
	people := map[string]*person{}
	err := d.eachRow(func(r *row) {
		p := people[r.Subject]
		if p == nil {
			p = &person{}
			people[r.Subject] = p
		}
		alert, _ := control.Alert(&control.Control{Glucose: r.Glucose, Trend: r.Trend})
		if alert {
			alarms[r.Subject] = append(alarms[r.Subject], alarm{r.Ask, arrivals[r.Partition][r.Offset]})
		}
		if alert && !p.alert {
			w.alerts++
			p.until = r.Ask.Add(aftermath)
		}
		p.alert = alert
		if r.Glucose != nil && *r.Glucose < replay.DangerBelow && r.Ask.Before(p.until) {
			w.right++
			p.until = time.Time{}
		}
	})
	return alarms, err
}

// arrivals are the times at which the records of each partition reached the broker, in the order of their offsets, and
// those at which each danger's reading first did.
func (d *demonstration) arrivals(dangers []replay.Danger) (all map[int32][]time.Time, first []time.Time, err error) {
	people, err := replay.Open(d.options)
	if err != nil {
		return nil, nil, err
	}
	type reading struct {
		subject string
		at      int64
	}
	wanted := map[reading]int{}
	for i, danger := range dangers {
		wanted[reading{danger.Subject, danger.At.UnixMilli()}] = i
	}
	all, first = map[int32][]time.Time{}, make([]time.Time, len(dangers))
	for {
		r, ok := people.Next()
		if !ok {
			return all, first, nil
		}
		all[r.Partition] = append(all[r.Partition], r.Arrival)
		if i, ok := wanted[reading{string(r.Key), r.Event.UnixMilli()}]; ok && !r.Kind.Broken() && first[i].IsZero() {
			first[i] = r.Arrival
		}
	}
}

// median is the middle value, or the mean of the two in the middle.
func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return (values[(len(values)-1)/2] + values[len(values)/2]) / 2
}
