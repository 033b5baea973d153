package streaming

import (
	"slices"
	"sync"

	"github.com/spillway-go/spillway/pipeline/kernel"
)

// Phase is what a partition, or all of a process, is doing.
type Phase string

// The phases.
const (
	Joining   Phase = "joining"   // waits for its partitions
	Replaying Phase = "replaying" // rebuilds state from what was read before
	Live      Phase = "live"
	Stopped   Phase = "stopped"
)

// Status is what a process does at one moment.
type Status struct {
	Pipeline   string
	Plan       string // the plan's hash
	Phase      Phase
	CaughtUp   bool // every partition here has reached what was its end when the reading began
	Partitions []PartitionStatus
	Commits    int64 // transactions since the start
	Aborts     int64 // transactions that failed, and whose records were taken again
	Rows       int64 // sums over the partitions
	Letters    int64
	Lag        int64
}

// PartitionStatus is what became of one partition that this process reads.
type PartitionStatus struct {
	Partition    int32
	Phase        Phase
	Next         int64 // the offset of the record to come
	End          int64 // of the source, as of the last fetch
	Watermark    int64 // W in µs
	HasWatermark bool
	Account      kernel.Account
	Rows         int64 // since the pipeline's first offset
	Letters      int64 // likewise: records and answers in the dead topic
}

// Lag is how many offsets are still to be read.
func (p *PartitionStatus) Lag() int64 { return max(0, p.End-p.Next) }

// Monitor shows what a running Run or Follow does. The zero Monitor is ready. It may be asked at any time, from anywhere.
type Monitor struct {
	mu      sync.Mutex
	status  Status                     // but for what is summed up from the partitions
	goals   map[int32]int64            // the ends at the start
	current map[int32]*PartitionStatus // that this process reads, or read last
}

// Status is a copy of what is known now.
func (m *Monitor) Status() Status {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.status
	s.CaughtUp = s.Phase == Live || s.Phase == Stopped
	for n, p := range m.current {
		s.Partitions = append(s.Partitions, *p)
		s.Rows += p.Rows
		s.Letters += p.Letters
		s.Lag += p.Lag()
		if p.Phase == Replaying && s.Phase == Live {
			s.Phase = Replaying
		}
		s.CaughtUp = s.CaughtUp && p.Phase == Live && p.Next >= m.goals[n]
	}
	slices.SortFunc(s.Partitions, func(a, b PartitionStatus) int { return int(a.Partition - b.Partition) })
	return s
}

func (m *Monitor) begin(src *Source, spans []span) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status = Status{Pipeline: src.Plan.Name, Plan: src.Plan.Hash(), Phase: Joining}
	m.goals, m.current = map[int32]int64{}, map[int32]*PartitionStatus{}
	for p, s := range spans {
		m.goals[int32(p)] = s.end
	}
}

// join begins anew with the partitions.
func (m *Monitor) join() {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.Phase = Joining
	clear(m.current)
}

func (m *Monitor) phase(p Phase) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.status.Phase = p
}

// ended counts a transaction.
func (m *Monitor) ended(committed bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if committed {
		m.status.Commits++
	} else {
		m.status.Aborts++
	}
}

// saw takes what the partition's state is now. An end below 0 is not known anew.
func (m *Monitor) saw(p *partition, phase Phase, end int64) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.current[p.num]
	if s == nil {
		s = &PartitionStatus{Partition: p.num, End: m.goals[p.num]}
		m.current[p.num] = s
	}
	s.Phase, s.Account = phase, p.task.Account()
	s.Next, s.End = s.Account.Next, max(s.End, end)
	s.Watermark, s.HasWatermark = p.task.Watermark()
	s.Rows = p.written
	s.Letters = s.Account.Counts[kernel.Dead] + s.Account.Counts[kernel.TooLate] + p.deadAnswers
}

// lost forgets a partition that others read now.
func (m *Monitor) lost(partition int32) {
	m.mu.Lock()
	defer m.mu.Unlock()
	delete(m.current, partition)
}
