package kernel

import "encoding/binary"

// distinct counts how often each text is in the window. Its words are the number of different texts, and an open-addressing
// table in the arena: the block, and its class + 1 (0: no table yet). A table's entry holds the text's number + 1 above and
// its count below; 0 is empty.
var distinct = accumulator{
	words: 3,
	value: true,
	text:  true,
	add: func(s *store, acc, row []uint64, c *component) {
		s.count(acc, uint32(row[c.value]), 1)
	},
	sub: func(s *store, acc, row []uint64, c *component) {
		s.uncount(acc, uint32(row[c.value]), 1)
	},
	merge: func(s *store, acc, other []uint64) {
		for _, e := range s.entries(other) {
			if e != 0 {
				s.count(acc, uint32(e>>32)-1, uint32(e))
			}
		}
	},
	unmerge: func(s *store, acc, other []uint64) {
		for _, e := range s.entries(other) {
			if e != 0 {
				s.uncount(acc, uint32(e>>32)-1, uint32(e))
			}
		}
	},
	reset: func(s *store, acc []uint64) {
		for _, e := range s.entries(acc) {
			if e != 0 {
				s.texts.drop(uint32(e>>32) - 1)
			}
		}
		if acc[2] != 0 {
			s.arena.release(ref(acc[1]), int(acc[2]-1))
		}
		acc[0], acc[1], acc[2] = 0, 0, 0
	},
	encode: func(s *store, dst []byte, acc []uint64) []byte {
		dst = binary.AppendUvarint(dst, acc[0])
		for _, e := range s.entries(acc) {
			if e != 0 {
				dst = appendText(dst, s.texts.at(uint32(e>>32)-1))
				dst = binary.AppendUvarint(dst, uint64(uint32(e)))
			}
		}
		return dst
	},
	decode: func(s *store, src []byte, acc []uint64) ([]byte, bool) {
		r := reader{b: src}
		for n := r.uvarint(); n > 0 && !r.bad; n-- {
			id := s.texts.hold(r.text())
			s.count(acc, id, uint32(r.uvarint()))
			s.texts.drop(id)
		}
		return r.b, r.bad
	},
}

func finishDistinct(_ *store, f *feature, key []uint64, c *Column) bool {
	return c.whole(int64(key[f.parts[0]]), f.plan)
}

// entries is the table of a distinct count.
func (s *store) entries(acc []uint64) []uint64 {
	if acc[2] == 0 {
		return nil
	}
	return s.arena.words(ref(acc[1]), 1<<(acc[2]-1))
}

// home is where a text's entry would be if nothing stood in its way. Multiplying spreads the dense numbers.
func home(id uint32, table []uint64) int {
	return spread(id) & (len(table) - 1)
}

func spread(id uint32) int { return int(uint64(id) * 0x9E3779B97F4A7C15 >> 32) }

// count adds n occurrences of a text. The table holds each of its texts once, so that its number stays its own.
func (s *store) count(acc []uint64, id, n uint32) {
	table := s.entries(acc)
	if 2*(acc[0]+1) > uint64(len(table)) {
		table = s.widen(acc, table)
	}
	i := home(id, table)
	for ; table[i] != 0; i = (i + 1) & (len(table) - 1) {
		if uint32(table[i]>>32) == id+1 {
			table[i] += uint64(n)
			return
		}
	}
	table[i] = uint64(id+1)<<32 | uint64(n)
	s.texts.keep(id)
	acc[0]++
}

func (s *store) widen(acc, old []uint64) []uint64 {
	class := 2
	if acc[2] != 0 {
		class = int(acc[2])
	}
	block := s.arena.alloc(class)
	table := s.arena.words(block, 1<<class)
	clear(table)
	for _, e := range old {
		if e == 0 {
			continue
		}
		i := home(uint32(e>>32)-1, table)
		for table[i] != 0 {
			i = (i + 1) & (len(table) - 1)
		}
		table[i] = e
	}
	if acc[2] != 0 {
		s.arena.release(ref(acc[1]), int(acc[2]-1))
	}
	acc[1], acc[2] = uint64(block), uint64(class+1)
	return table
}

// uncount takes n occurrences of a text away, and its entry with the last.
func (s *store) uncount(acc []uint64, id, n uint32) {
	table := s.entries(acc)
	i := home(id, table)
	for uint32(table[i]>>32) != id+1 {
		i = (i + 1) & (len(table) - 1)
	}
	table[i] -= uint64(n)
	if uint32(table[i]) != 0 {
		return
	}
	acc[0]--
	s.texts.drop(id)
	hole := i
	for j := (i + 1) & (len(table) - 1); table[j] != 0; j = (j + 1) & (len(table) - 1) {
		h := home(uint32(table[j]>>32)-1, table)
		if (j-h)&(len(table)-1) >= (j-hole)&(len(table)-1) {
			table[hole] = table[j]
			hole = j
		}
	}
	table[hole] = 0
}
