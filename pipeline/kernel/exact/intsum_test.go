package exact

import (
	"math/big"
	"math/rand/v2"
	"testing"
)

func TestIntSum(t *testing.T) {
	r := rand.New(rand.NewPCG(7, 8))
	for range 2000 {
		var s, tile IntSum
		var kept []int64
		for range r.IntN(10) {
			x := edgeInts[r.IntN(len(edgeInts))]
			if r.IntN(2) == 0 {
				x = int64(r.Uint64()) >> r.IntN(64)
			}
			switch r.IntN(4) {
			case 0: // comes and goes
				s.Add(x)
				s.Sub(x)
			case 1: // comes and goes with a tile
				tile.Reset()
				tile.Add(x)
				tile.Add(x)
				s.Merge(&tile)
				s.Sub(x)
				s.Sub(x)
			case 2: // goes by a tile
				tile.Reset()
				tile.Add(x)
				tile.Add(x)
				s.Add(x)
				s.Add(x)
				s.Unmerge(&tile)
			default:
				s.Add(x)
				kept = append(kept, x)
			}
		}
		want := new(big.Int)
		for _, x := range kept {
			want.Add(want, big.NewInt(x))
		}
		got, ok := s.Value()
		if ok != want.IsInt64() || ok && got != want.Int64() {
			t.Fatalf("Value = %d, %t, want %v, of %v", got, ok, want, kept)
		}
		if s.Count() != uint64(len(kept)) {
			t.Fatalf("Count = %d, want %d", s.Count(), len(kept))
		}
		mean, ok := s.Mean()
		if ok != (len(kept) > 0) {
			t.Fatalf("Mean reports %t for %v", ok, kept)
		}
		if ok {
			exact := new(big.Rat).SetFrac(want, big.NewInt(int64(len(kept))))
			if mean != nearest(exact) {
				t.Fatalf("Mean = %v, want %v, of %v", mean, nearest(exact), kept)
			}
		}
		var back IntSum
		if rest, err := back.Decode(s.Encode(nil)); err != nil || len(rest) != 0 || back != s {
			t.Fatalf("Decode = %v, %d bytes left, %v, want %v", back, len(rest), err, s)
		}
	}
}
