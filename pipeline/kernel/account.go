package kernel

import "fmt"

// Class is what became of one record (S9).
type Class uint8

// The classes, in the order in which the first that applies is taken.
const (
	Dead      Class = iota // invalid: dead-lettered
	Duplicate              // its (key, id) is remembered
	TooLate                // behind the allowed lateness: dead-lettered
	Filtered               // removed by Where, or a null key that SkipNullKey skips
	Late                   // admitted behind the watermark
	OnTime
	classes
)

var classNames = [...]string{"dead", "duplicate", "too late", "filtered", "late", "on time"}

// String is the class in reports.
func (c Class) String() string { return classNames[c] }

// Account is what became of a partition's records: the counts of all classes and the gaps add up to the span of offsets.
type Account struct {
	First, Next int64 // the span: the first offset seen, and the one to come
	Gap         int64 // offsets without a record: control records, aborted transactions, compaction
	Counts      [classes]int64
}

// Check returns an error when the counts do not add up to the span: a hole is a fault of spillway's.
func (a *Account) Check() error {
	sum := a.Gap
	for _, n := range a.Counts {
		sum += n
	}
	if sum != a.Next-a.First {
		return fmt.Errorf("accounting: %d offsets from %d to %d, but %d accounted for", a.Next-a.First, a.First, a.Next, sum)
	}
	return nil
}
