package training

import (
	"context"
	"fmt"
	"math"
	"slices"
	"strings"

	"github.com/spillway-go/spillway/internal/fault"
)

// DefaultTime is the name of the column that holds the times of labels, unless Options say otherwise.
const DefaultTime = "label_time"

// Options say which columns of a label file hold the key and the time.
type Options struct {
	Key  string // "": the column that has the name of the pipeline's key
	Time string // "": DefaultTime
}

// Labels are the rows of a label file.
type Labels struct {
	path  string
	names []string // of the columns
	cols  []column
	keys  []string // distinct, in the order in which they came
	key   []uint32 // of each label, its index in keys
	at    []int64  // of each label, µs
}

// Len is the number of labels.
func (l *Labels) Len() int { return len(l.at) }

// ReadLabels reads the file, whose format is that of its name: .csv, .jsonl or .parquet, the first two also with .gz or .zst
// behind it. The key's column has the name given by the options, or keyName. The error is a *fault.Error when the file is at
// fault, and says the line or row.
func ReadLabels(ctx context.Context, path, keyName string, o Options) (*Labels, error) {
	if o.Key == "" {
		o.Key = keyName
	}
	if o.Time == "" {
		o.Time = DefaultTime
	}
	form, err := formatOf(path)
	if err != nil {
		return nil, err
	}
	return form.read(ctx, path, o)
}

// place finds the key's and the time's columns.
func (l *Labels) place(o Options) (key, at int, err error) {
	for i, name := range l.names {
		if slices.Contains(l.names[:i], name) {
			return 0, 0, fault.New("labels "+l.path, fmt.Sprintf("have two columns named %q", name), "rename one")
		}
	}
	find := func(name, role, flag string) (int, error) {
		if i := slices.Index(l.names, name); i >= 0 {
			return i, nil
		}
		return 0, fault.New("labels "+l.path, fmt.Sprintf("have no column %q for the %s", name, role),
			fmt.Sprintf("name the column with --%s; there are %s", flag, strings.Join(l.names, ", ")))
	}
	if key, err = find(o.Key, "key", "key-field"); err != nil {
		return 0, 0, err
	}
	at, err = find(o.Time, "time", "time-field")
	return key, at, err
}

// index is the labels being read: it gives keys their numbers.
type index struct {
	labels  *Labels
	numbers map[string]uint32
}

func (l *Labels) index() *index { return &index{l, map[string]uint32{}} }

// add adds a label. The key is copied if it is new.
func (x *index) add(key string, at int64) error {
	n, ok := x.numbers[key]
	if !ok {
		key = strings.Clone(key)
		n = uint32(len(x.labels.keys))
		x.numbers[key] = n
		x.labels.keys = append(x.labels.keys, key)
	}
	if len(x.labels.at) == math.MaxInt32 {
		return fault.New("labels "+x.labels.path, "are more than 2,147,483,647", "split the file")
	}
	x.labels.key = append(x.labels.key, n)
	x.labels.at = append(x.labels.at, at)
	return nil
}

// fail is what is wrong with one label; where is its line or row.
func (l *Labels) fail(where, what, remedy string) error {
	return fault.New("labels "+l.path+", "+where, what, remedy)
}

const (
	keyRemedy  = "remove the label, or give it the key of an entity"
	timeRemedy = "write the time as 2026-01-31T12:00:00Z"
)

// addText adds a label whose key and time are texts.
func (x *index) addText(where, keyName, key string, hasKey bool, timeName, at string, hasTime bool) error {
	switch {
	case !hasKey:
		return x.labels.fail(where, fmt.Sprintf("the key %q is null", keyName), keyRemedy)
	case !hasTime:
		return x.labels.fail(where, fmt.Sprintf("the time %q is null", timeName), "remove the label, or "+timeRemedy)
	}
	micros, err := parseTime(at)
	if err != nil {
		return x.labels.fail(where, fmt.Sprintf("the time %q is %q, %v", timeName, at, err), timeRemedy)
	}
	return x.add(key, micros)
}
