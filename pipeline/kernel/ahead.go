package kernel

import "github.com/spillway-go/spillway/pipeline/schema"

// ahead is what a batch will need, looked up before its records are taken one by one: one record after the other, each
// look-up would wait for memory alone. It holds guesses only, and changes no answer.
type ahead struct {
	keys  []uint32   // the key's number; none: not known when the batch began
	tags  []uint32   // the hash of the id, or 0
	texts [][]uint32 // for each value of the rows, the number of its text
	sum   uint64
}

// aheadRows is how many records are looked up together: enough for their memory to be waited for at once, and so few that
// it is still at hand when they are taken.
const aheadRows = 256

// lookAhead fills in the guesses of records [from, to) and reads the memory that they will need: the keys' states, both
// ends of their logs, and where their texts are counted.
func (t *Task) lookAhead(from, to int) {
	a := &t.ahead
	if n := len(t.classes); from == 0 {
		a.keys, a.tags = grow(a.keys, n), grow(a.tags, n)
	}
	t.names.guess(&t.regs.v[t.prog.keyReg()], from, to, a.keys)
	if t.prog.plan.Source.ID >= 0 {
		a.sum += t.seen.touch(&t.regs.v[t.prog.idReg()], a.keys, from, to, a.tags)
	}
	t.guessTexts(from, to)
	for i, key := range a.keys[from:to] {
		if key != none {
			a.sum += t.touch(&t.keys[key], from+i)
		}
	}
}

// touch reads what record i will need of its key.
func (t *Task) touch(k *keyState, i int) (sum uint64) {
	if k.end == 0 || t.prog.keyWords == 0 {
		return 0
	}
	l := t.rows(k)
	sum = l.words[(l.end-1)*l.width]
	block := t.block(k)
	for w := range t.prog.windows {
		win := &t.prog.windows[w]
		if low := int(block[win.at+cursorLow]); low < l.end {
			sum += l.words[low*l.width]
		}
		for c := range win.parts {
			part := &win.parts[c]
			if !part.kind.text {
				continue
			}
			texts := t.ahead.texts[part.value-1-t.prog.bitWords]
			table := t.entries(block[part.at:])
			if i < len(texts) && texts[i] != none && len(table) > 0 {
				sum += table[home(texts[i], table)]
			}
		}
	}
	return sum
}

// guessTexts fills in the numbers of the texts of records [from, to).
func (t *Task) guessTexts(from, to int) {
	a := &t.ahead
	if a.texts == nil {
		a.texts = make([][]uint32, len(t.prog.values))
	}
	for j, val := range t.prog.values {
		if val.text && t.regs.v[val.reg].kind == schema.Text {
			if from == 0 {
				a.texts[j] = grow(a.texts[j], len(t.classes))
			}
			t.texts.guess(&t.regs.v[val.reg], from, to, a.texts[j])
		}
	}
}

// known is the number of the record's key, if it has one by now.
func (t *Task) known(i int) (uint32, bool) {
	if num := t.ahead.keys[i]; num != none {
		return num, true
	}
	return t.names.find(t.regs.v[t.prog.keyReg()].text(i))
}
