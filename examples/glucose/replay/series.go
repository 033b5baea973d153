package replay

import (
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spillway-go/spillway/internal/fault"
)

// firstWeek is the Monday in whose week all people begin.
var firstWeek = time.Date(2026, time.January, 5, 0, 0, 0, 0, time.UTC)

const week = 7 * 24 * time.Hour

// reading is one value of one person.
type reading struct {
	at      int64 // In milliseconds since 1970, moved to the weeks of the replay.
	glucose int32 // In mg/dl.
}

// series is all that the file holds of one person, in order of time.
type series struct {
	subject   string
	diagnosis string
	readings  []reading
}

// columns are the names in the header of the file.
var columns = []string{"subject", "at", "glucose_mg_dl", "diagnosis"}

// readSeries reads the people of a CSV file in the order in which they first appear and moves their times. The times of
// each person must rise. It allows only texts that need no escape in JSON, so that payloads are written without a look at
// their bytes.
func readSeries(r io.Reader) ([]*series, error) {
	rows := csv.NewReader(r)
	rows.ReuseRecord = true
	rows.FieldsPerRecord = len(columns)
	header, err := rows.Read()
	if err != nil {
		return nil, badFile(1, "its header cannot be read", err)
	}
	if !slices.Equal(header, columns) {
		return nil, badFile(1, fmt.Sprintf("its header is %q, not %q", header, columns), nil)
	}
	var people []*series
	bySubject := map[string]*series{}
	for line := 2; ; line++ {
		row, err := rows.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, badFile(line, "it is not CSV of four columns", err)
		}
		p := bySubject[row[0]]
		if p == nil {
			if !plain(row[0]) || !plain(row[3]) {
				return nil, badFile(line, "the subject or the diagnosis is not plain text", nil)
			}
			p = &series{subject: strings.Clone(row[0]), diagnosis: strings.Clone(row[3])}
			bySubject[p.subject] = p
			people = append(people, p)
		}
		if err := p.add(row); err != nil {
			return nil, badFile(line, "the row cannot be used", err)
		}
	}
	if len(people) == 0 {
		return nil, badFile(1, "it holds no reading", nil)
	}
	for _, p := range people {
		p.moveToFirstWeek()
	}
	return people, nil
}

// add appends the reading of one row of this person.
func (p *series) add(row []string) error {
	at, err := time.Parse(time.RFC3339, row[1])
	if err != nil {
		return err
	}
	glucose, err := strconv.ParseUint(row[2], 10, 15)
	if err != nil {
		return err
	}
	if row[3] != p.diagnosis {
		return fmt.Errorf("the diagnosis of %s is %q, and was %q before", p.subject, row[3], p.diagnosis)
	}
	if at.Nanosecond() != 0 {
		return fmt.Errorf("the time %s has a fraction of a second", row[1])
	}
	if n := len(p.readings); n > 0 && at.UnixMilli() <= p.readings[n-1].at {
		return fmt.Errorf("the time %s is not after the one before it", row[1])
	}
	p.readings = append(p.readings, reading{at: at.UnixMilli(), glucose: int32(glucose)})
	return nil
}

// moveToFirstWeek moves the first reading by whole weeks into the first week, and takes from each interval that is longer
// than a week as many whole weeks as leave something of it.
func (p *series) moveToFirstWeek() {
	previous := firstWeek.UnixMilli() - 1
	var shift int64
	for i := range p.readings {
		at := p.readings[i].at + shift
		surplus := floorDiv(at-previous-1, millis(week)) * millis(week)
		shift -= surplus
		at -= surplus
		p.readings[i].at = at
		previous = at
	}
}

// dangers are the indices of the readings that fall below DangerBelow from at or above it. A series that begins below has
// not fallen, as far as is known.
func (p *series) dangers() []int {
	var found []int
	for i := 1; i < len(p.readings); i++ {
		if p.readings[i].glucose < DangerBelow && p.readings[i-1].glucose >= DangerBelow {
			found = append(found, i)
		}
	}
	return found
}

// floorDiv divides a by b > 0, rounded towards minus infinity.
func floorDiv(a, b int64) int64 {
	q := a / b
	if a%b < 0 {
		q--
	}
	return q
}

// plain says whether s is a text that JSON takes as it is: printable ASCII without quote and backslash, and not empty.
func plain(s string) bool {
	for i := range len(s) {
		if c := s[i]; c < ' ' || c > '~' || c == '"' || c == '\\' {
			return false
		}
	}
	return s != ""
}

func badFile(line int, what string, cause error) error {
	return fault.Wrap(cause, fmt.Sprintf("line %d of the glucose readings", line), what,
		"restore the file in examples/glucose/data as it was published")
}
