package kernel

import (
	"encoding/binary"
	"fmt"
	"hash/crc32"
	"math"
	"slices"
	"time"

	"github.com/spillway-go/spillway/pipeline/window"
)

// A snapshot is a task's state as bytes: what was admitted, not how it lies in memory, so that a later version of the
// kernel can read it. Its form, numbers being varints unless said otherwise:
//
//	"SPKS" version | plan hash | features | partition, watermark, account
//	keys:       name, newest, gone, rows as in a slice, tiles of each tiling
//	remembered: key, time, id
//	ticks:      the last settled; the revisions
//	CRC-32C of all that, four bytes, little endian
const (
	snapshotMagic   = "SPKS"
	snapshotVersion = 1
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// AppendSnapshot appends the task's state.
func (t *Task) AppendSnapshot(dst []byte) []byte {
	from := len(dst)
	dst = append(dst, snapshotMagic...)
	dst = binary.AppendUvarint(dst, snapshotVersion)
	dst = appendText(dst, []byte(t.prog.identity()))
	dst = binary.AppendVarint(dst, int64(t.partition))
	dst = binary.AppendVarint(dst, t.watermark)
	dst = t.appendAccount(dst)
	dst, numbers := t.appendKeys(dst)
	dst = t.seen.append(dst, t.admits(), numbers)
	dst = t.ticks.append(dst, numbers)
	return binary.LittleEndian.AppendUint32(dst, crc32.Checksum(dst[from:], castagnoli))
}

// identity is what a snapshot's rows depend on: the plan, and which of its features are computed.
func (p *Program) identity() string {
	s := p.plan.Hash()
	for i := range p.outputs {
		s += " " + p.outputs[i].Name
	}
	return s
}

func appendText(dst, b []byte) []byte {
	dst = binary.AppendUvarint(dst, uint64(len(b)))
	return append(dst, b...)
}

func (t *Task) appendAccount(dst []byte) []byte {
	started := uint64(0)
	if t.started {
		started = 1
	}
	dst = binary.AppendUvarint(dst, started)
	for _, n := range append([]int64{t.account.First, t.account.Next, t.account.Gap}, t.account.Counts[:]...) {
		dst = binary.AppendVarint(dst, n)
	}
	return dst
}

// appendKeys writes the keys in use and gives each the number by which the rest of the snapshot names it.
func (t *Task) appendKeys(dst []byte) ([]byte, map[uint32]uint64) {
	numbers := map[uint32]uint64{}
	for i := range t.keys {
		if t.keys[i].used {
			numbers[uint32(i)] = uint64(len(numbers))
		}
	}
	dst = binary.AppendUvarint(dst, uint64(len(numbers)))
	for i := range t.keys {
		k := &t.keys[i]
		if !k.used {
			continue
		}
		dst = appendText(dst, t.names.at(uint32(i)))
		dst = binary.AppendVarint(dst, k.newest)
		dst = binary.AppendVarint(dst, k.gone)
		l := t.rows(k)
		dst = binary.AppendUvarint(dst, uint64(l.end-l.begin))
		dst = t.appendRows(dst, &l, l.begin, l.end, 0)
		dst = t.appendTiles(dst, k)
	}
	return dst, numbers
}

func (t *Task) appendTiles(dst []byte, k *keyState) []byte {
	block := t.block(k)
	for i := range t.prog.tilings {
		g := &t.prog.tilings[i]
		l := t.tiles(g, block)
		dst = binary.AppendUvarint(dst, uint64(l.end-l.begin))
		for r := l.begin; r < l.end; r++ {
			tile := l.row(r)
			dst = binary.AppendVarint(dst, int64(tile[tileStart]))
			for j := range g.parts {
				dst = g.parts[j].kind.encode(&t.store, dst, tile[g.parts[j].tile:])
			}
			for j := range t.prog.picks {
				p := &t.prog.picks[j]
				dst = t.appendPick(dst, p, tile[p.tile[i]:])
			}
		}
	}
	return dst
}

func (t *Task) appendPick(dst []byte, p *pick, has []uint64) []byte {
	dst = binary.AppendUvarint(dst, has[0])
	switch {
	case has[0] == 0:
	case p.text():
		dst = appendText(dst, t.texts.at(uint32(has[1])))
	default:
		dst = binary.AppendUvarint(dst, has[1])
	}
	return dst
}

func (r *remembered) append(dst []byte, from int64, numbers map[uint32]uint64) []byte {
	for at := r.head; at < len(r.entries); {
		e := r.entries[at:]
		at += entrySize(entryID(e))
		number, ok := numbers[entryKey(e)]
		if entryTime(e) < from || !ok {
			continue // It is forgotten already, and waits behind a later one.
		}
		dst = binary.AppendUvarint(dst, number+1)
		dst = binary.AppendVarint(dst, entryTime(e))
		dst = appendText(dst, entryID(e))
	}
	return binary.AppendUvarint(dst, 0)
}

func (c *ticks) append(dst []byte, numbers map[uint32]uint64) []byte {
	dst = binary.AppendVarint(dst, c.settled)
	kept := make([]revised, 0, len(c.revised))
	for r := range c.revised {
		if _, ok := numbers[r.key]; ok {
			kept = append(kept, r)
		}
	}
	slices.SortFunc(kept, func(a, b revised) int {
		if a.key != b.key {
			return int(int64(numbers[a.key]) - int64(numbers[b.key]))
		}
		return int(max(-1, min(1, a.tick-b.tick)))
	})
	dst = binary.AppendUvarint(dst, uint64(len(kept)))
	for _, r := range kept {
		dst = binary.AppendUvarint(dst, numbers[r.key])
		dst = binary.AppendVarint(dst, r.tick)
		dst = binary.AppendUvarint(dst, uint64(c.revised[r]))
	}
	return dst
}

// RestoreTask makes a task of a snapshot that a task of the same program has made.
func RestoreTask(p *Program, snapshot []byte) (*Task, error) {
	if len(snapshot) < len(snapshotMagic)+4 || string(snapshot[:4]) != snapshotMagic {
		return nil, fmt.Errorf("kernel: not a snapshot")
	}
	body := snapshot[:len(snapshot)-4]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(snapshot[len(body):]) {
		return nil, fmt.Errorf("kernel: a snapshot whose checksum is wrong")
	}
	r := reader{b: body[len(snapshotMagic):]}
	if v := r.uvarint(); v != snapshotVersion {
		return nil, fmt.Errorf("kernel: a snapshot of version %d; this program reads %d", v, snapshotVersion)
	}
	if id := string(r.text()); id != p.identity() {
		return nil, fmt.Errorf("kernel: a snapshot of plan %.12s; this one is %.12s", id, p.identity())
	}
	t := NewTask(p, int32(r.varint()))
	t.watermark = r.time()
	t.started = r.uvarint() == 1
	for _, n := range []*int64{&t.account.First, &t.account.Next, &t.account.Gap} {
		*n = r.varint()
	}
	for i := range t.account.Counts {
		t.account.Counts[i] = r.varint()
	}
	numbers := t.readKeys(&r)
	t.readRemembered(&r, numbers)
	t.readTicks(&r, numbers)
	if r.bad || len(r.b) != 0 {
		return nil, fmt.Errorf("kernel: a snapshot that does not hold what its version says")
	}
	return t, t.account.Check()
}

func (t *Task) readKeys(r *reader) []uint32 {
	var numbers []uint32
	for n := r.uvarint(); n > 0 && !r.bad; n-- {
		name, newest, gone := r.text(), r.time(), r.time()
		rows := r.uvarint()
		if _, twice := t.names.find(name); twice || rows > math.MaxInt32 {
			r.bad = true
		}
		if r.bad {
			return numbers
		}
		num := t.key(name, newest)
		numbers = append(numbers, num)
		k := &t.keys[num]
		k.gone = gone
		a := Asker{task: t, row: make([]uint64, t.prog.rowWords)}
		rest, ok := a.loadRows(num, int(rows), r.b, 0)
		if l := t.rows(k); !ok || !t.sound(&l) {
			r.bad = true
			return numbers
		}
		r.b = rest
		t.readTiles(r, k)
	}
	return numbers
}

// sound tells whether rows that were read can be rows: their times are times, and no aggregate takes a text that is null.
func (t *Task) sound(l *logRows) bool {
	if l.begin < l.end && (!isTime(l.time(l.begin)) || !isTime(l.time(l.end-1))) {
		return false
	}
	taken := func(sel, value int) bool {
		for i := l.begin; i < l.end; i++ {
			if l.counts(i, sel) && l.row(i)[value] == noText {
				return false
			}
		}
		return true
	}
	for i := range t.prog.windows {
		for _, c := range t.prog.windows[i].parts {
			if c.kind.text && !taken(c.sel, c.value) {
				return false
			}
		}
	}
	for i := range t.prog.picks {
		if p := &t.prog.picks[i]; p.text() && !taken(p.sel, p.value) {
			return false
		}
	}
	return true
}

func (t *Task) readTiles(r *reader, k *keyState) {
	block := t.block(k)
	for i := range t.prog.windows {
		// Windows begin empty, ahead of all that is there; the next ask takes in what it needs.
		block[t.prog.windows[i].at+cursorStart] = math.MaxInt64
	}
	for i := range t.prog.tilings {
		g := &t.prog.tilings[i]
		last := int64(never)
		for n := r.uvarint(); n > 0 && !r.bad; n-- {
			start := r.time()
			if r.bad = r.bad || start <= last || start%g.tile != 0; r.bad {
				return
			}
			last = start
			l := t.newTile(i, block, start)
			tile := l.row(l.end - 1)
			for j := range g.parts {
				c := &g.parts[j]
				if r.b, r.bad = c.kind.decode(&t.store, r.b, tile[c.tile:]); r.bad {
					return
				}
			}
			for j := range t.prog.picks {
				t.readPick(r, &t.prog.picks[j], tile[t.prog.picks[j].tile[i]:])
			}
		}
	}
}

func (t *Task) readPick(r *reader, p *pick, has []uint64) {
	held := r.uvarint()
	var text []byte
	word := uint64(0)
	switch {
	case held == 0:
	case p.text():
		text = r.text()
	default:
		word = r.uvarint()
	}
	if r.bad = r.bad || held > 1; r.bad || held == 0 {
		return
	}
	if p.text() {
		word = uint64(t.texts.hold(text))
	}
	has[0], has[1] = 1, word
}

func (t *Task) readRemembered(r *reader, numbers []uint32) {
	for n := r.uvarint(); n > 0 && !r.bad; n = r.uvarint() {
		at, id := r.time(), r.text()
		if r.bad = r.bad || n > uint64(len(numbers)); r.bad {
			return
		}
		key := numbers[n-1]
		t.seen.remember(key, id, t.seen.tagOf(key, id), at)
	}
}

func (t *Task) readTicks(r *reader, numbers []uint32) {
	t.ticks.settled = r.time()
	n := r.uvarint()
	if t.prog.plan.Tick == 0 {
		r.bad = r.bad || n > 0 || t.ticks.settled != never
		return
	}
	for ; n > 0 && !r.bad; n-- {
		number, tick, revision := r.uvarint(), r.time(), r.uvarint()
		if r.bad = r.bad || number >= uint64(len(numbers)) || revision > math.MaxInt32; r.bad {
			return
		}
		t.ticks.revised[revised{tick, numbers[number]}] = int32(revision)
	}
	if !r.bad {
		for _, num := range numbers {
			t.schedule(num)
		}
	}
}

// reader reads a snapshot's numbers and texts. What it reads after the first fault is nothing.
type reader struct {
	b   []byte
	bad bool
}

func (r *reader) uvarint() uint64 {
	v, n := binary.Uvarint(r.b)
	return take(r, v, n)
}

func (r *reader) varint() int64 {
	v, n := binary.Varint(r.b)
	return take(r, v, n)
}

// time reads a time of the state, or never.
func (r *reader) time() int64 {
	v := r.varint()
	r.bad = r.bad || v != never && !isTime(v)
	return v
}

// isTime tells whether the state of a task may hold the time: one of an event, or one a few windows from it.
func isTime(us int64) bool {
	const slack = 4 * int64(3660*window.Day/time.Microsecond)
	return us >= zeroTime-slack && us <= lastTime+slack
}

func take[T uint64 | int64](r *reader, v T, n int) T {
	if n <= 0 || r.bad {
		r.bad = true
		return 0
	}
	r.b = r.b[n:]
	return v
}

func (r *reader) text() []byte {
	n := r.uvarint()
	if r.bad || n > uint64(len(r.b)) {
		r.bad = true
		return nil
	}
	b := r.b[:n]
	r.b = r.b[n:]
	return b
}
