// Package hostile makes plans and logs at random that are as unpleasant as the contract allows, from a seed, and makes a
// log on which something fails smaller.
//
// Events tie, come out of order within bounds and without, come twice with the same time and others; their values are
// null, NaN, infinite, −0, the greatest, the least and next to overflow; their times lie before 1970, on the edges of
// windows and a microsecond beside them; keys are empty, hot, or of several alphabets; partitions stand idle; offsets have
// gaps; and among the events lie records that cannot be decoded, records without key, time or id, and records from the
// future.
package hostile
