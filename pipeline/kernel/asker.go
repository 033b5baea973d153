package kernel

import (
	"encoding/binary"
	"errors"
	"math"
)

// A slice is the rows of one key in a stretch of time, as bytes: what an online store keeps, so that a value can be asked
// for at any later moment and age without new events. Slices of one program may be read by any task of the same plan and
// the same choice of features.
//
// The form: the number of rows, then for each row its time less that of the row before (zig-zag), its selections' bits,
// and its values: eight bytes, or for a text its length + 1 (0: null) and its bytes. All numbers are varints but values.

// SliceWidth is the stretch of time that one slice covers: a power of two microseconds, about a thirty-second of the
// longest window. Slices begin at its multiples.
func (p *Program) SliceWidth() int64 {
	w := int64(1 << 20) // about a second
	for w < p.longest/32 {
		w *= 2
	}
	return w
}

// Reach is how far back any computed window looks from an ask, in microseconds.
func (p *Program) Reach() int64 { return p.longest }

// AppendSlice appends the key's rows with times in [start, start+SliceWidth) that the task still holds. It reports false
// when there are none.
func (t *Task) AppendSlice(dst []byte, name []byte, start int64) ([]byte, bool) {
	num, ok := t.names.find(name)
	if !ok {
		return dst, false
	}
	l := t.rows(&t.keys[num])
	from, to := l.lower(start), l.lower(start+t.prog.SliceWidth())
	if from == to {
		return dst, false
	}
	return t.appendRows(dst, &l, from, to, start), true
}

// appendRows writes rows [from, to) of a log; last is what the first row's time is counted from.
func (t *Task) appendRows(dst []byte, l *logRows, from, to int, last int64) []byte {
	dst = binary.AppendUvarint(dst, uint64(to-from))
	for i := from; i < to; i++ {
		row := l.row(i)
		dst = binary.AppendVarint(dst, l.time(i)-last)
		last = l.time(i)
		for _, w := range row[1 : 1+t.prog.bitWords] {
			dst = binary.AppendUvarint(dst, w)
		}
		dst = t.appendValues(dst, row)
	}
	return dst
}

func (t *Task) appendValues(dst []byte, row []uint64) []byte {
	for j, val := range t.prog.values {
		w := row[1+t.prog.bitWords+j]
		switch {
		case !val.text:
			dst = binary.LittleEndian.AppendUint64(dst, w)
		case w == noText:
			dst = append(dst, 0)
		default:
			b := t.texts.at(uint32(w))
			dst = binary.AppendUvarint(dst, uint64(len(b))+1)
			dst = append(dst, b...)
		}
	}
	return dst
}

// Admitted tells whether record i of the last batch entered the state of its key, and gives the key and the time.
func (t *Task) Admitted(i int) (name []byte, micros int64, ok bool) {
	if c := t.classes[i]; c != OnTime && c != Late {
		return nil, 0, false
	}
	return t.regs.v[t.prog.keyReg()].text(i), int64(t.matrix[i*t.prog.rowWords]), true
}

// Asker answers for one key at a time from its slices. It belongs to one goroutine; its memory serves every key.
type Asker struct {
	task *Task
	row  []uint64
}

// NewAsker makes an asker without a key.
func NewAsker(p *Program) *Asker {
	return &Asker{task: NewTask(p, 0), row: make([]uint64, p.rowWords)}
}

var errSlice = errors.New("kernel: a slice that is cut short or of another plan")

// Ask answers for the key at t from slices in the order of their starts, and appends one row to out. The answer is that of
// the events in the slices whose time is before t.
func (a *Asker) Ask(name []byte, at, offset int64, slices [][]byte, starts []int64, out *Rows) error {
	t := a.task
	num := t.key(name, at)
	defer t.removeKey(num)
	for i, s := range slices {
		rest, err := a.loadRows(num, s, starts[i])
		if err != nil {
			return err
		}
		if len(rest) != 0 {
			return errSlice
		}
	}
	k := &t.keys[num]
	l := t.rows(k)
	high := l.lower(at)
	t.seekAll(k, &l, at, high)
	t.answers = t.answers[:0]
	t.emit(num, k, &l, at, high, offset, 0, out)
	return nil
}

// loadRows puts rows into the key's log and gives what lies behind them.
func (a *Asker) loadRows(num uint32, s []byte, last int64) ([]byte, error) {
	n, k := binary.Uvarint(s)
	if k <= 0 || n > math.MaxInt32 {
		return nil, errSlice
	}
	s = s[k:]
	for range n {
		d, k := binary.Varint(s)
		if k <= 0 {
			return nil, errSlice
		}
		last, s = last+d, s[k:]
		a.row[rowTime] = uint64(last)
		for b := range a.task.prog.bitWords {
			w, k := binary.Uvarint(s)
			if k <= 0 {
				return nil, errSlice
			}
			a.row[1+b], s = w, s[k:]
		}
		var err error
		if s, err = a.loadValues(s); err != nil {
			return nil, err
		}
		a.task.insert(&a.task.keys[num], a.row)
	}
	return s, nil
}

// loadValues reads a row's values. On an error the texts read so far are let go of, since no row holds them.
func (a *Asker) loadValues(s []byte) ([]byte, error) {
	p := a.task.prog
	values := a.row[1+p.bitWords:]
	for j, val := range p.values {
		if !val.text {
			if len(s) < 8 {
				return nil, a.unhold(j)
			}
			values[j], s = binary.LittleEndian.Uint64(s), s[8:]
			continue
		}
		n, k := binary.Uvarint(s)
		if k <= 0 || n > uint64(len(s)-k)+1 {
			return nil, a.unhold(j)
		}
		s = s[k:]
		values[j] = noText
		if n > 0 {
			values[j] = uint64(a.task.texts.hold(s[:n-1]))
			s = s[n-1:]
		}
	}
	return s, nil
}

func (a *Asker) unhold(values int) error {
	for j, val := range a.task.prog.values[:values] {
		if w := a.row[1+a.task.prog.bitWords+j]; val.text && w != noText {
			a.task.texts.drop(uint32(w))
		}
	}
	return errSlice
}

// DeadAnswers are those of the last ask.
func (a *Asker) DeadAnswers() []DeadAnswer { return a.task.answers }
