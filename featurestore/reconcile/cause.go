package reconcile

import (
	"cmp"
	"fmt"
	"math/bits"
	"slices"
)

// Cause is why an answer is not truth's.
type Cause uint8

// The causes. The first four are events that one side knows of and the other does not.
const (
	Late               Cause = iota // it arrived behind the watermark, after the ask was answered
	ArrivedLater                    // it arrived after the ask was answered, though on time
	TooLate                         // it was dead-lettered
	ForgottenDuplicate              // it is a second copy of an id, which the stream took for a first
	Withheld                        // the newest answer fits no field, so an older one stands
	Unsettled                       // the stream's watermark has not reached the tick
	Unexplained                     // no proof was found: a break
	NotExamined                     // left out by a budget
	causes
)

// eventCauses are those of events.
const eventCauses = int(ForgottenDuplicate) + 1

var causeNames = [causes]string{
	"late", "arrived_later", "too_late", "forgotten_duplicate", "withheld", "unsettled", "unexplained", "not_examined",
}

var causeTitles = [causes]string{
	"late", "arrived later, on time", "too late", "forgotten duplicate", "withheld", "unsettled", "unexplained", "not examined",
}

var causeMeanings = [causes]string{
	"An event arrived behind the watermark, after this ask had been answered.",
	"An event arrived on time, but after this ask had been answered: an event's ask does not wait for the watermark.",
	"An event came later than the allowed lateness: it was dead-lettered, and only the history knows it.",
	"A second copy of an id came when the first was no longer remembered, or had never been let in: the stream counts it.",
	"The newest answer does not fit its field and was dead-lettered: the one before it stands.",
	"Truth has a tick that the stream's watermark has not reached.",
	"Executing the key again does not give these answers. This is a fault: of a side's rows, of the log, or of spillway.",
	"The key was left out by the budget.",
}

// String is the cause in JSON.
func (c Cause) String() string { return causeNames[c] }

// Title is the cause in words.
func (c Cause) Title() string { return causeTitles[c] }

// Meaning says in a sentence what happened.
func (c Cause) Meaning() string { return causeMeanings[c] }

// MarshalText writes String.
func (c Cause) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

// UnmarshalText reads String.
func (c *Cause) UnmarshalText(b []byte) error {
	for i, n := range causeNames {
		if n == string(b) {
			*c = Cause(i)
			return nil
		}
	}
	return fmt.Errorf("%q is no cause", b)
}

// causeSet is a set of causes, one bit each.
type causeSet uint16

func (s causeSet) has(c Cause) bool      { return s>>c&1 != 0 }
func (s causeSet) with(c Cause) causeSet { return s | 1<<c }
func (s causeSet) single() bool          { return s != 0 && s&(s-1) == 0 }

// subsets are its parts that are not empty, the small ones first and the set itself last; those of one size are in the order
// of their causes.
func (s causeSet) subsets() []causeSet {
	var all []causeSet
	for part := causeSet(1); part <= s; part++ {
		if part&^s == 0 {
			all = append(all, part)
		}
	}
	slices.SortFunc(all, func(a, b causeSet) int {
		if c := cmp.Compare(bits.OnesCount16(uint16(a)), bits.OnesCount16(uint16(b))); c != 0 || a == b {
			return c
		}
		// The one that has the first cause which the other has not.
		if first := (a ^ b) & -(a ^ b); a&first != 0 {
			return -1
		}
		return 1
	})
	return all
}

func (s causeSet) list() []Cause {
	var l []Cause
	for c := range causes {
		if s.has(c) {
			l = append(l, c)
		}
	}
	return l
}

// Role is how a cause takes part in a difference.
type Role string

// The roles.
const (
	Alone   Role = "alone"   // undoing it, and nothing else, gives truth
	Either  Role = "either"  // likewise, and so does undoing another
	Jointly Role = "jointly" // no cause is enough alone; undoing it together with others is, or they were not told apart
)
