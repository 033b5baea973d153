package reconcile

import (
	"fmt"
	"strings"
	"testing"
)

// causeCases are logs that each show one cause, or several together. What follows "want" is what brief writes.
var causeCases = []struct{ name, text, want string }{
	{"nothing", `
events
  0: t=100 x=1
  1: t=101 x=2
source out_of_order=0s lateness=10s
every event
feature a sum(x) last 20s
`, `agrees: 2 of 2 rows, 0 of 2 answers`},

	{"arrived later, on time", `
events
  0: t=100 x=1
  1: t=103 x=2 -> on time
  2: t=101 x=4 -> on time      # W is 98
  3: t=102 x=8 -> on time
source out_of_order=5s lateness=10s
every event
feature a sum(x) last 20s
`, `
agrees: 4 of 4 rows, 1 of 4 answers
arrived_later 1: alone 1
k 00:01:43Z row 3 row 15: arrived_later alone by #0/2 #0/3 minimal`},

	{"late", `
events
  0: t=100 x=1
  1: t=103 x=2
  2: t=101 x=4 -> late
  3: t=104 x=8
source out_of_order=0s lateness=10s
every event
feature a sum(x) last 20s
`, `
agrees: 4 of 4 rows, 1 of 4 answers
late 1: alone 1
k 00:01:43Z row 3 row 7: late alone by #0/2 minimal`},

	{"too late: its own row, and the answers that lack it", `
events
  0: t=100 x=1
  1: t=89 x=2 -> too late
  2: t=101 x=4
  3: t=200 x=4
source out_of_order=0s lateness=10s
every event
feature a sum(x) last 20s
`, `
agrees: 3 of 3 rows, 3 of 4 answers
too_late 3: alone 3
k 00:01:29Z none null row 2: too_late alone by #0/1 minimal`},

	{"too late, but Where would not keep it", `
events
  0: t=100 x=1
  1: t=89 x=-2 -> too late
  2: t=101 x=4
source out_of_order=0s lateness=10s
where x > 0
every event
feature a sum(x) last 20s
`, `agrees: 2 of 2 rows, 0 of 2 answers`},

	{"forgotten duplicate", `
events
  0: t=100 x=1 id=A
  1: t=100 x=1 id=A -> duplicate
  2: t=120 x=2                     # A is forgotten
  3: t=121 x=1 id=A -> on time
  4: t=122 x=4
source out_of_order=0s lateness=10s
every event
feature a sum(x) last 30s
`, `
agrees: 4 of 4 rows, 2 of 4 answers
forgotten_duplicate 2: alone 2
k 00:02:01Z row 4 none null: forgotten_duplicate alone by A minimal`},

	{"a duplicate with another time: the first was too late, and so never remembered", `
events
  0: t=100 x=1
  1: t=80 x=2 id=A -> too late
  2: t=99 x=4 id=A -> late
  3: t=101 x=8
source out_of_order=0s lateness=10s
every event
feature a sum(x) last 30s
`, `
agrees: 3 of 3 rows, 4 of 4 answers
too_late 3: alone 2, jointly 1
forgotten_duplicate 2: alone 1, jointly 1
k 00:01:20Z none null row 2: too_late alone by A minimal
k 00:01:39Z row 4 none null: forgotten_duplicate alone by A minimal
k 00:01:41Z row 13 row 11: too_late jointly (undone [15]) forgotten_duplicate jointly (undone [9]) by A A minimal`},

	{"two causes, each needed", `
events
  0: t=100 x=1
  1: t=103 x=2
  2: t=101 x=4 -> late
  3: t=80 x=16 -> too late
source out_of_order=0s lateness=10s
every event
feature a sum(x) last 30s
`, `
agrees: 3 of 3 rows, 4 of 4 answers
late 1: alone 0, jointly 1
too_late 4: alone 3, jointly 1
k 00:01:20Z none null row 16: too_late alone by #0/3 minimal
k 00:01:43Z row 3 row 23: late jointly (undone [7]) too_late jointly (undone [19]) by #0/3 #0/2 minimal`},

	{"two causes, each of which is enough", `
events
  0: t=100 x=9
  1: t=103 x=8
  2: t=101 x=1 -> late
  3: t=80 x=1 -> too late
source out_of_order=0s lateness=10s
every event
feature a min(x) last 30s
`, `
agrees: 3 of 3 rows, 3 of 4 answers
late 1: alone 0, either 1
too_late 3: alone 2, either 1
k 00:01:20Z none null row 1: too_late alone by #0/3 minimal
k 00:01:43Z row 8 row 1: late either too_late either by #0/2 minimal`},

	{"ties: the one behind comes later", `
events
  0: t=100 x=1
  1: t=101 x=2
  2: t=101 x=4
  3: t=100 x=8 -> on time
source out_of_order=5s lateness=10s
every event
feature a last(x) last 20s
feature b count() last 20s
`, `
agrees: 4 of 4 rows, 2 of 4 answers
arrived_later 2: alone 2
k 00:01:41Z row 2,2 row 2,3: arrived_later alone by #0/3 minimal`},

	{"ticks: revisions bring late events in, too late ones stay out; closing rows", `
events
  0: t=5 x=1
  1: t=50 x=1
  2: t=25 x=1 -> late
  3: t=-41 x=1 -> late
  4: t=-51 x=1 -> too late
  5: t=60 x=1
source out_of_order=0s lateness=100s
every 10s
feature a count() last 10s
feature b max(x)  last 10s
`, `
agrees: 7 of 7 rows, 1 of 8 answers
too_late 1: alone 1
k 1969-12-31T23:59:10Z none null,null row 1,1: too_late alone by #0/4 minimal`},

	{"ticks: a forgotten copy brings about a row", `
events
  0: t=5 x=1 id=A
  1: t=50 x=1
  2: t=95 x=1 id=A
  3: t=130 x=1
source out_of_order=0s lateness=10s
every 10s
feature a count() last 20s
`, `
agrees: 9 of 9 rows, 3 of 9 answers
forgotten_duplicate 3: alone 3
k 00:01:40Z row 1 none null: forgotten_duplicate alone by A minimal`},

	{"withheld: the newest revision does not fit", `
events
  0: t=5 m=2147483647
  1: t=20 m=0
  2: t=6 m=1 -> late
  3: t=40 m=0
source out_of_order=0s lateness=100s
every 10s
feature a sum(m) last 10s
`, `
agrees: 4 of 4 rows, 1 of 4 answers
withheld 1: alone 1
k 00:00:10Z row 2147483647 withheld null: withheld alone minimal`},

	{"withheld: the history does not fit, because of an event that was too late", `
events
  0: t=100 m=2147483647
  1: t=85 m=1 -> too late
  2: t=101 m=0
source out_of_order=0s lateness=10s
every event
feature a sum(m) last 30s
`, `
agrees: 2 of 2 rows, 3 of 3 answers
too_late 3: alone 3
k 00:01:25Z none null row 1: too_late alone by #0/1 minimal`},

	{"withheld: a historical feature does not fit", `
events
  0: t=100 m=2147483647
  1: t=101 m=1
source out_of_order=0s lateness=10s
every event
feature a count() last 30s
feature b sum(m) last 30s historical
`, `
agrees: 2 of 2 rows, 1 of 2 answers
withheld 1: alone 1
k 00:01:41Z row 2 withheld null: withheld alone minimal`},
}

func TestCauses(t *testing.T) {
	for _, c := range causeCases {
		t.Run(c.name, func(t *testing.T) {
			w := parse(t, "case "+c.name+"\n"+strings.TrimSpace(c.text)+"\n")[0]
			got := brief(w.run(t, Options{}))
			if got != strings.TrimSpace(c.want) {
				t.Errorf("got\n%s\nwant\n%s", got, strings.TrimSpace(c.want))
			}
		})
	}
}

// brief writes a report in a few lines: the counts, the causes, and the examples.
func brief(r *Report) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s: %d of %d rows, %d of %d answers\n", r.Verdict.Outcome, r.Identity.Agreed, r.Identity.StreamRows,
		r.Lateness.Differences(), r.Lateness.Answers)
	for _, c := range r.Causes {
		fmt.Fprintf(&b, "%s %d: alone %d", c.Cause, c.Differences, c.Alone)
		if c.Either > 0 {
			fmt.Fprintf(&b, ", either %d", c.Either)
		}
		if c.Jointly > 0 {
			fmt.Fprintf(&b, ", jointly %d", c.Jointly)
		}
		b.WriteByte('\n')
	}
	for _, e := range r.Examples {
		var served, truth []string
		for _, f := range e.Features {
			served, truth = append(served, f.Served.String()), append(truth, f.Other.String())
		}
		fmt.Fprintf(&b, "%s %s %s %s %s %s:", e.Key, strings.TrimPrefix(e.AskTime, "1970-01-01T"),
			e.Served, strings.Join(served, ","), e.Truth, strings.Join(truth, ","))
		for _, c := range e.Causes {
			fmt.Fprintf(&b, " %s %s", c.Cause, c.Role)
			if len(c.Undone) > 0 {
				fmt.Fprintf(&b, " (undone %v)", c.Undone)
			}
		}
		for i, x := range e.Explaining {
			if i == 0 {
				b.WriteString(" by")
			}
			b.WriteString(" " + x.ID)
		}
		if e.Minimal {
			b.WriteString(" minimal")
		}
		b.WriteString(e.Reason + "\n")
	}
	return strings.TrimSpace(b.String())
}
