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

// lookAhead fills in the guesses and reads the memory that the batch will need: the keys' states, and the ends of their
// logs.
func (t *Task) lookAhead(n int) {
	a := &t.ahead
	a.keys = t.names.guess(&t.regs.v[t.prog.keyReg()], n, a.keys)
	if t.prog.plan.Source.ID >= 0 {
		var sum uint64
		a.tags, sum = t.seen.touch(&t.regs.v[t.prog.idReg()], a.keys, n, a.tags)
		a.sum += sum
	}
	t.guessTexts(n)
	w := t.prog.rowWords
	for _, key := range a.keys {
		if key == none {
			continue
		}
		k := &t.keys[key]
		if t.prog.keyWords > 0 {
			a.sum += t.arena.words(k.block, 1)[0]
		}
		if k.end > 0 {
			a.sum += t.arena.words(k.log, int(k.end)*w)[(int(k.end)-1)*w]
		}
	}
}

func (t *Task) guessTexts(n int) {
	a := &t.ahead
	if a.texts == nil {
		a.texts = make([][]uint32, len(t.prog.values))
	}
	for j, val := range t.prog.values {
		if val.text && t.regs.v[val.reg].kind == schema.Text {
			a.texts[j] = t.texts.guess(&t.regs.v[val.reg], n, a.texts[j])
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
