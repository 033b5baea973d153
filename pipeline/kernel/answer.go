package kernel

import "fmt"

// answerEvent answers the ask of the event that stands at row p: immediately behind it (S2).
func (t *Task) answerEvent(key uint32, k *keyState, p, i int, at int64, out *Rows) {
	l := t.rows(k)
	t.seekAll(k, &l, at, p+1)
	t.emit(key, k, &l, at, p+1, t.columns.offset[i], 0, out)
}

func (t *Task) seekAll(k *keyState, l *logRows, at int64, high int) {
	for w := range t.prog.windows {
		win := &t.prog.windows[w]
		t.seek(k, l, win, win.start(at), high)
	}
}

// emit appends one row: the ask's identity and the features, whose windows have been sought. A row with a value that does
// not fit is withheld and reported instead.
func (t *Task) emit(key uint32, k *keyState, l *logRows, at int64, high int, offset int64, revision int32, out *Rows) {
	n := out.Len()
	if bad := t.finishAll(k, l, at, high, out.Columns); bad >= 0 {
		for c := range out.Columns {
			out.Columns[c].cut(n)
		}
		f := t.prog.features[bad].plan
		t.answers = append(t.answers, DeadAnswer{
			Key: string(t.names.at(key)), AskTime: at, Partition: t.partition, Offset: offset, Revision: revision, Feature: f.Name,
			Reason: fmt.Sprintf("the %s does not fit its field", f.Agg.Op),
		})
		return
	}
	out.Keys.Append(t.names.at(key))
	out.AskTime = append(out.AskTime, at)
	out.Partition = append(out.Partition, t.partition)
	out.Offset = append(out.Offset, offset)
	out.Revision = append(out.Revision, revision)
}

// finishAll appends each feature's value to its column, and gives the first that does not fit, or -1.
func (t *Task) finishAll(k *keyState, l *logRows, at int64, high int, columns []Column) (bad int) {
	bad = -1
	block := t.block(k)
	for i := range t.prog.features {
		f := &t.prog.features[i]
		if f.pick >= 0 {
			w := &t.prog.windows[f.window]
			t.picked = t.look(k, l, w, f.pick, w.start(at), high)
		}
		if f.finish(&t.store, f, block, &columns[i]) {
			continue
		}
		columns[i].misfit()
		if bad < 0 {
			bad = i
		}
	}
	return bad
}

// Ask answers for a key at t, before every event at t (S2), from what has arrived: a serving ask. A key that is not known
// has the answers of nothing.
func (t *Task) Ask(name []byte, at int64, out *Rows) error {
	if t.watermark != never && at < t.admits() {
		return fmt.Errorf("kernel: an ask at %s, behind what is kept", clockTime(at))
	}
	num, known := t.names.find(name)
	if !known {
		num = t.key(name, at)
		defer t.removeKey(num)
	}
	k := &t.keys[num]
	l := t.rows(k)
	high := l.lower(at)
	t.seekAll(k, &l, at, high)
	t.emit(num, k, &l, at, high, t.account.Next-1, 0, out)
	return nil
}
