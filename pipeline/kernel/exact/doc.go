// Package exact computes sums, means, variances, standard deviations and slopes that are exact and then rounded once, to
// the nearest float64, ties to even, as Python's math.fsum does for sums. This is the arithmetic of contract S5.
//
// An accumulator is a few words in an arena of the caller, viewed as one of four types:
//
//	Sum      6 words   sum and mean of float64 values
//	Moments 12 words   the same, and variances and standard deviations
//	Trend   16 words   slope of float64 values over int64 times
//	IntSum   3 words   sum and mean of int64 values
//
// Sum, Moments and Trend take int64 values too, by AddInt, without passing through a float64. Words of zero are an
// accumulator of nothing. What the words cannot hold lies in a [Pool] beside the arena, which every method is given.
//
// # How it works
//
// A float64 is an integer of 53 bits times a power of two, so a wide enough integer in a small enough unit holds any sum
// of them: a fixed-point accumulator, the idea of Kulisch and Miranker ("The Arithmetic of the Digital Computer: A New
// Approach", SIAM Review 28, 1986). Covering every float64 takes 35 words, so the accumulator in the arena covers the
// values of real columns only, the near ones: 2^-76 ≤ |x| < 2^87 in a Sum or a Trend, 2^-44 ≤ |x| < 2^75 in Moments, and
// every int64 and zero. An accumulator that holds other values has an entry in the Pool for them, with counts of the NaNs
// and infinities and wide sums of the rest, and gives it back when the last of them is removed.
//
// With n values, each answer is one fraction of integers that the accumulators hold:
//
//	sum               Σx
//	mean              Σx / n
//	sample variance   (nΣx² − (Σx)²) / (n(n−1))
//	variance          (nΣx² − (Σx)²) / n²
//	slope             unit · (nΣtx − ΣtΣx) / (nΣt² − (Σt)²)
//
// The variances follow from Σ(x−m)² = Σx² − (Σx)²/n with the mean m = Σx/n; the slope solves the normal equations of the
// least-squares line. Cancellation ruins these forms in floating point and does nothing to integers. A deviation is the
// square root of the rounded variance. Division is one step of Knuth's Algorithm D (The Art of Computer Programming,
// volume 2, 4.3.1): a quotient of at least 63 bits, and whether a remainder is left.
//
// # Invariants
//
//  1. An accumulator is determined by the multiset of the values that were added and not removed. Order, batches, merges,
//     removals, encoding and decoding leave no trace: equal multisets give equal answers and equal encodings, bit for bit.
//  2. Whether a value is near depends on the value alone. So the arena's words and the entry are each determined by the
//     multiset, and an accumulator has an entry exactly if it holds a value that is not near.
//  3. No sum overflows with up to [MaxCount] = 2^40 values, for any values and times. Each number's width is reasoned
//     where it is defined; nothing checks the count at run time, except Decode.
//  4. Removing is adding the negative: it needs no other values, and may even come before the adding. Between the two the
//     answers mean nothing.
//  5. A NaN or an infinity counts only while it is held. A sum or mean is NaN with a NaN or with both infinities, and else
//     the infinity that is held; a variance, deviation or slope is NaN with any of them. There is one NaN, math.NaN().
//  6. A sum that is exactly zero is +0, and −0 is the same value as +0. An answer too large for a float64 is infinite, and
//     one too small is subnormal or zero with the sign that it had, as IEEE 754 rounds.
//  7. There is no floating-point arithmetic here but math.Sqrt, which IEEE 754 defines to the bit, so no machine, compiler
//     or fused multiply-add can change an answer.
//  8. A reference to an entry belongs to one accumulator. Its words may move, as when the arena grows, but may not be
//     copied and then both be used: copy by Merge into an accumulator of nothing. Words are Reset before they are used
//     for something else.
//  9. Nothing allocates, except a Pool that holds more entries than ever before, and Encode if its slice is too short.
package exact
