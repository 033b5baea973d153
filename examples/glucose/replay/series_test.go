package replay

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spillway-go/spillway/examples/glucose/data"
)

const header = "subject,at,glucose_mg_dl,diagnosis\n"

// TestMoveToFirstWeek shows the rule of times on a few rows.
func TestMoveToFirstWeek(t *testing.T) {
	for _, c := range []struct{ name, in, want string }{
		{"weekday and time of day stay", "2014-02-03T03:42:12Z", "2026-01-05T03:42:12Z"},
		{"first moment of the week", "2014-02-03T00:00:00Z", "2026-01-05T00:00:00Z"},
		{"last moment of the week", "2014-02-02T23:59:59Z", "2026-01-11T23:59:59Z"},
		{"back from later years", "2033-06-01T10:00:00Z", "2026-01-07T10:00:00Z"},
		{
			"a week is kept, more is shortened",
			"2014-02-03T03:00:00Z 2014-02-10T03:00:00Z 2014-02-17T03:00:01Z 2015-03-29T11:53:31Z 2015-03-29T11:58:31Z",
			"2026-01-05T03:00:00Z 2026-01-12T03:00:00Z 2026-01-12T03:00:01Z 2026-01-18T11:53:31Z 2026-01-18T11:58:31Z",
		},
	} {
		var rows strings.Builder
		rows.WriteString(header)
		for at := range strings.FieldsSeq(c.in) {
			fmt.Fprintf(&rows, "a,%s,93,diabetic\n", at)
		}
		people, err := readSeries(strings.NewReader(rows.String()))
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, r := range people[0].readings {
			got = append(got, time.UnixMilli(r.at).UTC().Format(time.RFC3339))
		}
		if strings.Join(got, " ") != c.want {
			t.Errorf("%s: %s, want %s", c.name, got, c.want)
		}
	}
}

// TestSpanOfTheReplay checks what doc.go says of the data's times after they are moved.
func TestSpanOfTheReplay(t *testing.T) {
	r := mustOpen(t, Options{})
	var last int64
	for _, s := range r.base {
		start := time.UnixMilli(s.readings[0].at).UTC()
		if start.Before(firstWeek) || !start.Before(firstWeek.Add(week)) {
			t.Errorf("%s begins at %s", s.subject, start)
		}
		last = max(last, s.readings[len(s.readings)-1].at)
	}
	if got := time.UnixMilli(last).UTC().Format(time.DateOnly); got != "2026-01-19" {
		t.Errorf("the last reading is of %s", got)
	}
}

func TestBadFiles(t *testing.T) {
	const row = "a,2014-02-03T03:42:12Z,93,diabetic\n"
	for _, c := range []struct{ name, in, want string }{
		{"empty", "", "line 1 "},
		{"only a header", header, "it holds no reading"},
		{"other columns", "subject,at,glucose,diagnosis\n" + row, `not ["subject"`},
		{"missing column", header + "a,2014-02-03T03:42:12Z,93\n", "line 2 "},
		{"quote never closed", header + row + "\"a,2014", "line 3 "},
		{"bad time", header + "a,yesterday,93,diabetic\n", "yesterday"},
		{"fraction", header + "a,2014-02-03T03:42:12.5Z,93,diabetic\n", "fraction"},
		{"bad glucose", header + row + "b,2014-02-03T03:42:12Z,LOW,diabetic\n", "line 3 "},
		{"negative glucose", header + "a,2014-02-03T03:42:12Z,-1,diabetic\n", "invalid syntax"},
		{"same time twice", header + row + row, "not after"},
		{"other diagnosis", header + row + "a,2014-02-03T03:47:12Z,93,healthy\n", "healthy"},
		{"subject needs escaping", header + "a\x01,2014-02-03T03:42:12Z,93,diabetic\n", "plain"},
		{"no diagnosis", header + "a,2014-02-03T03:42:12Z,93,\n", "plain"},
	} {
		_, err := readSeries(strings.NewReader(c.in))
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "restore the file") {
			t.Errorf("%s: error %v, want one with %q and a remedy", c.name, err, c.want)
		}
	}
}

func FuzzReadSeries(f *testing.F) {
	f.Add(header + "a,2014-02-03T03:42:12Z,93,diabetic\nb,2014-02-03T03:42:12Z,41,x\na,2015-02-03T03:47:12Z,303,diabetic\n")
	f.Add(header + "a,0000-01-01T00:00:00Z,0,x\na,9999-12-31T23:59:59Z,0,x\n")
	f.Add("subject,at\n\"")
	f.Fuzz(func(t *testing.T, in string) {
		people, err := readSeries(strings.NewReader(in))
		if err != nil {
			return
		}
		for _, p := range people {
			previous := firstWeek.UnixMilli() - 1
			for _, r := range p.readings {
				if gap := r.at - previous; gap <= 0 || gap > millis(week) {
					t.Fatalf("%s has an interval of %d ms", p.subject, gap)
				}
				previous = r.at
			}
		}
	})
}

func TestDangersOfASeries(t *testing.T) {
	for _, c := range []struct {
		glucose []int32
		want    []int
	}{
		{[]int32{70, 69, 68, 70, 69}, []int{1, 4}},
		{[]int32{69, 60, 71, 69}, []int{3}}, // Below from the first: it has not fallen.
		{[]int32{70, 70, 303}, nil},
		{nil, nil},
	} {
		var s series
		for _, g := range c.glucose {
			s.readings = append(s.readings, reading{glucose: g})
		}
		if got := s.dangers(); !slices.Equal(got, c.want) {
			t.Errorf("%v: %v, want %v", c.glucose, got, c.want)
		}
	}
}

// TestDangers compares with the records that arrive, which are checked against the file elsewhere.
func TestDangers(t *testing.T) {
	o := Options{Seed: demoSeed, Scale: 2}
	glucose := map[string]payload{}
	for rec := range records(t, o) {
		if !rec.Kind.Broken() {
			p := intact(t, rec)
			glucose[p.ID] = p
		}
	}
	r := mustOpen(t, o)
	dangers := r.Dangers()
	if len(dangers) != 2*90 {
		t.Errorf("%d dangers, want 90 for each copy", len(dangers))
	}
	seen := map[string]bool{}
	for i, d := range dangers {
		p := glucose[d.ID]
		if p.Glucose >= DangerBelow || !p.At.Equal(d.At) || *p.Subject != d.Subject || seen[d.ID] {
			t.Errorf("danger %+v is of reading %+v", d, p)
		}
		seen[d.ID] = true
		if i > 0 && d.At.Before(dangers[i-1].At) {
			t.Errorf("danger %+v is out of order", d)
		}
	}
	if _, ok := r.Next(); !ok {
		t.Error("Dangers advanced the replay")
	}
}

func TestDataOpens(t *testing.T) {
	for range 2 { // Each Open begins anew.
		file, err := data.Open()
		if err != nil {
			t.Fatal(err)
		}
		if people, err := readSeries(file); err != nil || len(people) != 19 {
			t.Errorf("%d people, error %v", len(people), err)
		}
	}
}
