package replay

import (
	"bytes"
	"encoding/csv"
	"encoding/json"
	"iter"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spillway-go/spillway/examples/glucose/data"
)

// demoSeed is the seed of the counts below.
const demoSeed = 1

// records gives every record of a replay.
func records(t testing.TB, o Options) iter.Seq[Record] {
	t.Helper()
	r := mustOpen(t, o)
	return func(yield func(Record) bool) {
		for rec, ok := r.Next(); ok && yield(rec); rec, ok = r.Next() {
		}
	}
}

// payload is what a consumer sees.
type payload struct {
	ID        string    `json:"id"`
	Subject   *string   `json:"subject"`
	At        time.Time `json:"at"`
	Glucose   int       `json:"glucose"`
	Diagnosis string    `json:"diagnosis"`
}

// original is one row of the file, read without the code under test.
type original struct {
	at        time.Time
	glucose   int
	diagnosis string
}

func originals(t testing.TB) map[string][]original {
	t.Helper()
	file, err := data.Open()
	if err != nil {
		t.Fatal(err)
	}
	rows, err := csv.NewReader(file).ReadAll()
	if err != nil {
		t.Fatal(err)
	}
	people := map[string][]original{}
	for _, row := range rows[1:] {
		at, err := time.Parse(time.RFC3339, row[1])
		if err != nil {
			t.Fatal(err)
		}
		glucose, err := strconv.Atoi(row[2])
		if err != nil {
			t.Fatal(err)
		}
		people[row[0]] = append(people[row[0]], original{at, glucose, row[3]})
	}
	return people
}

// intact decodes the payload of a record that is not broken and fails if it does not agree with the record.
func intact(t testing.TB, rec Record) payload {
	t.Helper()
	var p payload
	d := json.NewDecoder(bytes.NewReader(rec.Payload))
	d.DisallowUnknownFields()
	if err := d.Decode(&p); err != nil {
		t.Fatalf("%s %s: %v", rec.Kind, rec.Payload, err)
	}
	if p.Subject == nil || *p.Subject != string(rec.Key) || !p.At.Equal(rec.Event) {
		t.Fatalf("payload %s disagrees with key %s and event time %s", rec.Payload, rec.Key, rec.Event)
	}
	return p
}

// TestReadingsArrive checks every reading of the file, in every copy: exactly one first record with its value, at its time
// of day and weekday, and every duplicate equal to it and after it.
func TestReadingsArrive(t *testing.T) {
	const scale = 3
	people := originals(t)
	first := map[string][]byte{}
	shifts := map[string]time.Duration{}
	for rec := range records(t, Options{Seed: demoSeed, Scale: scale}) {
		if rec.Kind.Broken() {
			continue
		}
		p := intact(t, rec)
		if rec.Kind.Duplicate() {
			if !bytes.Equal(first[p.ID], rec.Payload) {
				t.Fatalf("%s of %s is %s, first was %s", rec.Kind, p.ID, rec.Payload, first[p.ID])
			}
			continue
		}
		if first[p.ID] != nil {
			t.Fatalf("%s: a second first record, %s", p.ID, rec.Kind)
		}
		first[p.ID] = rec.Payload

		cut := strings.LastIndexByte(p.ID, '-')
		number, err := strconv.Atoi(p.ID[cut+1:])
		if err != nil || p.ID[:cut] != *p.Subject {
			t.Fatalf("id %s of subject %s", p.ID, *p.Subject)
		}
		name, number2, isCopy := strings.Cut(*p.Subject, "#")
		want := people[name][number-1]
		if p.Glucose != want.glucose || p.Diagnosis != want.diagnosis {
			t.Fatalf("%s: %d %s, the file has %+v", p.ID, p.Glucose, p.Diagnosis, want)
		}
		shift := p.At.Sub(want.at) % week
		if !isCopy && shift != 0 {
			t.Fatalf("%s: %s is not whole weeks from %s", p.ID, p.At, want.at)
		}
		if isCopy && (shift == 0 || shift%time.Minute != 0 || (number2 != "2" && number2 != "3")) {
			t.Fatalf("%s: copy moved by %s", p.ID, shift)
		}
		shift = (shift + week) % week
		if before, ok := shifts[*p.Subject]; ok && before != shift {
			t.Fatalf("%s: moved by %s, earlier readings by %s", p.ID, shift, before)
		}
		shifts[*p.Subject] = shift
	}
	if want := scale * 34890; len(first) != want {
		t.Errorf("%d readings arrived, want %d", len(first), want)
	}
	if want := scale * 19; len(shifts) != want {
		t.Errorf("%d people, want %d", len(shifts), want)
	}
}

// TestOrderOfArrival checks invariants 2 and 3, that every delay is within the model's bounds, and that disorder occurs
// within people.
func TestOrderOfArrival(t *testing.T) {
	lastArrival := time.Time{}
	lastEvent := map[string]time.Time{}
	back := map[string]int{}
	for rec := range records(t, Options{Seed: demoSeed, Scale: 40}) {
		if rec.Arrival.Before(lastArrival) {
			t.Fatalf("%s arrives after a record of %s", rec.Arrival, lastArrival)
		}
		lastArrival = rec.Arrival
		delay := rec.Arrival.Sub(rec.Event)
		if delay < 0 {
			t.Fatalf("%s arrives %s before it was taken", rec.Payload, -delay)
		}
		const burst = 100 * BacklogSpacing // More than a phone can keep in the longest outage.
		switch {
		case rec.Kind == Direct && delay > DelayMax,
			rec.Kind == Retry && delay > DelayMax+RetryMax,
			rec.Kind == Held && delay > OutageMax+DelayMax+burst,
			rec.Kind == HeldNewestFirst && delay > OutageMax+DelayMax+burst,
			rec.Kind == Resync && delay < OutageMin:
			t.Fatalf("%s record arrives after %s", rec.Kind, delay)
		}
		if rec.Kind == HeldNewestFirst && rec.Event.Before(lastEvent[string(rec.Key)]) {
			back[string(rec.Key)]++
		}
		lastEvent[string(rec.Key)] = rec.Event
	}
	if len(back) < 40*2 {
		t.Errorf("time runs back within %d people, want some of each copy", len(back))
	}
}

// TestBrokenRecords checks that each broken record is refused for its own reason and is followed at once by the reading.
func TestBrokenRecords(t *testing.T) {
	const scale = 40 // So many that a few of the readings are also sent twice.
	count := 0
	var broken *Record
	for rec := range records(t, Options{Seed: demoSeed, Scale: scale, Partitions: 4}) {
		if broken != nil {
			checkBroken(t, *broken, rec)
		}
		broken = nil
		if rec.Kind.Broken() {
			count++
			broken = &rec
		}
	}
	if count != scale*19 {
		t.Errorf("%d broken records, want one a person", count)
	}
}

func checkBroken(t *testing.T, broken, good Record) {
	t.Helper()
	id := intact(t, good).ID
	if good.Kind.Duplicate() || !good.Event.Equal(broken.Event) || !good.Arrival.Equal(broken.Arrival) ||
		good.Partition != broken.Partition || !bytes.HasPrefix(broken.Payload, []byte(`{"id":"`+id+`"`)) {
		t.Errorf("%s %s is followed by %s %s", broken.Kind, broken.Payload, good.Kind, good.Payload)
	}
	var p payload
	err := json.Unmarshal(broken.Payload, &p)
	var reason bool
	switch broken.Kind {
	case Truncated:
		reason = !json.Valid(broken.Payload) && bytes.HasPrefix(good.Payload, broken.Payload)
	case TextGlucose:
		reason = err != nil && strings.Contains(string(broken.Payload), `"glucose":"LOW"`)
	case NullSubject:
		reason = err == nil && p.Subject == nil && broken.Key == nil
	case FarFuture:
		reason = err == nil && p.At.Year() == 2099
	}
	if !reason {
		t.Errorf("%s: %s is not broken as it should be (%v)", broken.Kind, broken.Payload, err)
	}
	if broken.Kind != NullSubject && !bytes.Equal(broken.Key, good.Key) {
		t.Errorf("%s has key %q, want %q", broken.Kind, broken.Key, good.Key)
	}
}

// TestFirstCopyNeverChanges checks invariant 5, and that a person's partition never changes.
func TestFirstCopyNeverChanges(t *testing.T) {
	alone := slices.Collect(records(t, Options{Seed: demoSeed}))
	partitions := map[string]int32{}
	var first []Record
	for rec := range records(t, Options{Seed: demoSeed, Scale: 3, Partitions: 4}) {
		if rec.Key != nil {
			if p, ok := partitions[string(rec.Key)]; ok && p != rec.Partition {
				t.Fatalf("%s is in partitions %d and %d", rec.Key, p, rec.Partition)
			}
			partitions[string(rec.Key)] = rec.Partition
		}
		if !bytes.Contains(rec.Payload, []byte("#")) {
			rec.Partition = -1
			first = append(first, rec)
		}
	}
	same := func(a, b Record) bool {
		return bytes.Equal(a.Key, b.Key) && bytes.Equal(a.Payload, b.Payload) && a.Kind == b.Kind &&
			a.Event.Equal(b.Event) && a.Arrival.Equal(b.Arrival) && a.Partition == b.Partition
	}
	if !slices.EqualFunc(alone, first, same) {
		t.Error("the first copy at scale 3 differs from the replay at scale 1")
	}
}

// TestCopiesDiffer guards against copies that share their chances.
func TestCopiesDiffer(t *testing.T) {
	held := map[string]int{}
	for rec := range records(t, Options{Seed: demoSeed, Scale: 3}) {
		if rec.Kind == Held || rec.Kind == HeldNewestFirst {
			_, copied, _ := strings.Cut(string(rec.Key), "#")
			held[copied]++
		}
	}
	if held[""] == held["2"] || held["2"] == held["3"] || len(held) != 3 {
		t.Errorf("readings held by copy: %v", held)
	}
}

// TestBoundedMemory checks invariant 6: no person ever kept more than the backlog of one outage.
func TestBoundedMemory(t *testing.T) {
	r := mustOpen(t, Options{Seed: demoSeed, Scale: 20})
	if got, want := r.Readings(), int64(20*34890); got != want {
		t.Errorf("%d readings, want %d", got, want)
	}
	for _, ok := r.Next(); ok; _, ok = r.Next() {
	}
	for i := range r.people {
		if n := cap(r.people[i].queue); n > 128 {
			t.Errorf("the queue of %s grew to %d", r.people[i].subject, n)
		}
	}
	if _, ok := r.Next(); ok {
		t.Error("a record came after the last")
	}
}

// TestPayloadsStay checks that a payload is not written over by the records after it.
func TestPayloadsStay(t *testing.T) {
	r := mustOpen(t, Options{Seed: demoSeed})
	var kept, copies [][]byte
	for range 5_000 {
		rec, _ := r.Next()
		kept, copies = append(kept, rec.Payload), append(copies, bytes.Clone(rec.Payload))
		if cap(rec.Payload) != len(rec.Payload) {
			t.Fatal("appending to a payload would write into the next")
		}
	}
	if !slices.EqualFunc(kept, copies, bytes.Equal) {
		t.Error("a payload changed after it was given")
	}
}

func TestOptionsOutOfRange(t *testing.T) {
	for _, o := range []Options{{Scale: -1}, {Scale: MaxScale + 1}, {Partitions: -1}, {Partitions: maxPartitions + 1}} {
		if _, err := Open(o); err == nil || !strings.Contains(err.Error(), "give a number from 1 to") {
			t.Errorf("%+v: error %v, want one that says the range", o, err)
		}
	}
	_, err := Open(Options{Scale: -1, Partitions: -1})
	if err == nil || strings.Count(err.Error(), "out of range") != 2 {
		t.Errorf("error %v, want both faults at once", err)
	}
}

func TestKindNames(t *testing.T) {
	seen := map[string]bool{}
	for k := range Kind(kinds) {
		if s := k.String(); s == "" || seen[s] {
			t.Errorf("kind %d has the name %q", k, s)
		} else {
			seen[s] = true
		}
	}
	if unknown := Kind(kinds); unknown.String() != "kind 9" || unknown.Broken() || unknown.Duplicate() {
		t.Errorf("unknown kind: %s", unknown)
	}
}
