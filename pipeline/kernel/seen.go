package kernel

import "encoding/binary"

// remembered is the ids of admitted events, each with its key, for as long as its time is W − L or later (S3).
type remembered struct {
	ids   *texts
	at    []int64 // the time of each id, by its number
	queue []uint32
	head  int
	name  []byte
}

func (r *remembered) init() { r.ids = newTexts() }

// compose writes the key's number before the id: ids are a key's own.
func (r *remembered) compose(key uint32, id []byte) []byte {
	r.name = binary.LittleEndian.AppendUint32(r.name[:0], key)
	r.name = append(r.name, id...)
	return r.name
}

// has tells whether the id is remembered, where from is the earliest time that still is.
func (r *remembered) has(key uint32, id []byte, from int64) bool {
	num, ok := r.ids.find(r.compose(key, id))
	return ok && r.at[num] >= from
}

// remember keeps the id of an admitted event. One that is still there from before has been forgotten, and begins anew.
func (r *remembered) remember(key uint32, id []byte, at int64) {
	num := r.ids.hold(r.compose(key, id))
	for int(num) >= len(r.at) {
		r.at = append(r.at, 0)
	}
	r.at[num] = at
	r.queue = append(r.queue, num)
}

// expire lets go of ids from the front of the queue. Times are nearly in order there, so what waits behind a later one
// waits shortly.
func (r *remembered) expire(from int64) {
	for r.head < len(r.queue) && r.at[r.queue[r.head]] < from {
		r.ids.drop(r.queue[r.head])
		r.head++
	}
	if r.head > 1024 && 2*r.head > len(r.queue) {
		r.queue = r.queue[:copy(r.queue, r.queue[r.head:])]
		r.head = 0
	}
}
