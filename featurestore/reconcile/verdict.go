package reconcile

import "fmt"

// conclude gives the verdict. A refusal is why nothing was compared.
func (r *Report) conclude(o Options, refusal string) {
	id := &r.Identity
	var breaks, doubts []string
	say := func(list *[]string, n int64, one, more string) {
		if n > 0 {
			*list = append(*list, plural(n, one, more))
		}
	}
	say(&breaks, id.Differing, "row of the stream has other values than as-served",
		"rows of the stream have other values than as-served")
	say(&breaks, id.Missing, "as-served row is missing from the stream", "as-served rows are missing from the stream")
	say(&breaks, id.Extra, "row of the stream is not among the as-served ones",
		"rows of the stream are not among the as-served ones")
	say(&breaks, id.Repeated, "row of the stream is a repetition", "rows of the stream are repetitions")
	say(&breaks, r.count(Unexplained), "difference to truth is unexplained", "differences to truth are unexplained")
	say(&breaks, r.surplus, "as-served row is of no event that the accounting has", "as-served rows are of no event that the accounting has")
	for _, a := range r.Accounting {
		for _, c := range a.Complaints {
			breaks = append(breaks, fmt.Sprintf("partition %d: %s", a.Partition, c))
		}
	}
	switch {
	case refusal != "":
		doubts = append(doubts, refusal)
	case id.Compared == 0:
		doubts = append(doubts, "no row was compared")
	case id.Coverage < o.MinCoverage:
		doubts = append(doubts, fmt.Sprintf("only %s of the answers were compared, and %s are wanted",
			percent(id.Coverage), percent(o.MinCoverage)))
	}
	say(&doubts, r.Unproved.Differences, "difference was not examined", "differences were not examined")
	v := Verdict{Outcome: Agrees}
	switch {
	case len(breaks) > 0:
		v.Outcome, v.Reasons = Breaks, append(breaks, doubts...)
	case len(doubts) > 0:
		v.Outcome, v.Reasons = Inconclusive, doubts
	}
	v.ExitCode = v.Outcome.ExitCode()
	v.Sentence = r.sentence(v.Outcome, refusal)
	r.Verdict = v
}

// count is how many differences a cause takes part in.
func (r *Report) count(c Cause) int64 {
	for _, n := range r.Causes {
		if n.Cause == c {
			return n.Differences
		}
	}
	return 0
}

// sentence says the verdict with the three numbers: rows agreed to the bit, what lateness cost, what is unexplained.
func (r *Report) sentence(o Outcome, refusal string) string {
	numbers := fmt.Sprintf("%s of %s equal to the bit, lateness changed %s of the answers, and %s unexplained.",
		group(r.Identity.Agreed), plural(max(r.Identity.StreamRows, r.Identity.ServedRows), "row is", "rows are"),
		percent(r.Lateness.Share), plural(r.count(Unexplained), "difference is", "differences are"))
	switch {
	case refusal != "":
		return "Nothing was compared: " + refusal + "."
	case o == Agrees:
		return "Stream and batch agree: " + numbers
	case o == Breaks:
		return "Stream and batch do not agree: " + numbers
	}
	return "Too little was compared or proved to say: " + numbers
}
