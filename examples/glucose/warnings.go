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

func (d *demonstration) rows() ([]row, error) {
	f, err := os.Open(filepath.Join(d.folder, rowsFile))
	if err != nil {
		return nil, err
	}
	defer f.Close()
	var rows []row
	for lines := bufio.NewScanner(f); lines.Scan(); {
		var r row
		if err := json.Unmarshal(lines.Bytes(), &r); err != nil {
			return nil, err
		}
		rows = append(rows, r)
	}
	return rows, nil
}

// near is how far from a danger an alert may lie and still be about it.
const near = 30 * time.Minute

// batchHour is the hour, in UTC, at which the nightly batch would have run.
const batchHour = 2

// warnings gives the median minutes from a danger, the reading at which glucose falls below 70 mg/dl, to the first alert
// about it: live, which may be before the danger, and by the nightly batch alone, which sees a reading at two in the morning
// after it arrived. The rule uses the live features only: in the first nights there are no others.
func (d *demonstration) warnings() (live, nightly float64, dangers int, err error) {
	people, err := replay.Open(d.options)
	if err != nil {
		return 0, 0, 0, err
	}
	alarms, err := d.alarms()
	if err != nil {
		return 0, 0, 0, err
	}
	var soon, late []float64
	for _, danger := range people.Dangers() {
		night := time.Date(danger.At.Year(), danger.At.Month(), danger.At.Day(), batchHour, 0, 0, 0, time.UTC)
		if !night.After(danger.At) {
			night = night.AddDate(0, 0, 1)
		}
		first := night
		for _, a := range alarms[danger.Subject] {
			if a.about.After(danger.At.Add(-near)) && a.about.Before(danger.At.Add(near)) && a.raised.Before(first) {
				first = a.raised
			}
		}
		soon = append(soon, first.Sub(danger.At).Minutes())
		late = append(late, night.Sub(danger.At).Minutes())
	}
	return median(soon), median(late), len(soon), nil
}

// alarm is one time that the rule says to act: about the reading's time, and raised when the reading arrived.
type alarm struct{ about, raised time.Time }

func (d *demonstration) alarms() (map[string][]alarm, error) {
	arrivals, err := d.arrivals()
	if err != nil {
		return nil, err
	}
	rows, err := d.rows()
	if err != nil {
		return nil, err
	}
	alarms := map[string][]alarm{}
	for _, r := range rows {
		if alert, _ := control.Alert(&control.Control{Glucose: r.Glucose, Trend: r.Trend}); alert {
			alarms[r.Subject] = append(alarms[r.Subject], alarm{r.Ask, arrivals[r.Partition][r.Offset]})
		}
	}
	return alarms, nil
}

// arrivals are the times at which the records of each partition reached the broker, in the order of their offsets.
func (d *demonstration) arrivals() (map[int32][]time.Time, error) {
	people, err := replay.Open(d.options)
	if err != nil {
		return nil, err
	}
	arrivals := map[int32][]time.Time{}
	for {
		r, ok := people.Next()
		if !ok {
			return arrivals, nil
		}
		arrivals[r.Partition] = append(arrivals[r.Partition], r.Arrival)
	}
}

func median(values []float64) float64 {
	if len(values) == 0 {
		return 0
	}
	slices.Sort(values)
	return values[len(values)/2]
}
