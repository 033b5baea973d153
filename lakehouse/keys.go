package lakehouse

import (
	"bytes"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"
)

// keyRuns gathers the keys of a row group's rows as a dictionary and an index for each row. Sorted keys are their own
// dictionary, each as it first comes, so that no key is looked up, which is half of what it takes to write them otherwise.
// Of keys that turn out not to be sorted the rest is written one by one.
type keyRuns struct {
	ends    []int32 // of the keys in bytes, behind a zero
	bytes   []byte
	indices []int32
	valid   []bool
	nulls   int
	last    []byte // the key of the row before
}

// dictionaryOf is the type of a key column that is written through its dictionary.
var dictionaryOf = &arrow.DictionaryType{IndexType: arrow.PrimitiveTypes.Int32, ValueType: arrow.BinaryTypes.String}

func (r *keyRuns) reset() {
	if r.bytes == nil {
		r.bytes = []byte{} // Bounds that are nil are none, and those of empty keys are empty.
	}
	r.ends = append(r.ends[:0], 0)
	r.bytes, r.indices, r.valid, r.nulls, r.last = r.bytes[:0], r.indices[:0], r.valid[:0], 0, nil
}

// add takes the keys as long as they are sorted and the dictionary stays small, and tells how many it took.
func (r *keyRuns) add(keys *array.String) int {
	offsets, values := keys.ValueOffsets(), keys.ValueBytes()
	var start int32
	if len(offsets) > 0 {
		start = offsets[0] // ValueBytes begin at the first value.
	}
	hasNulls := keys.NullN() > 0
	for i := range keys.Len() {
		if hasNulls && keys.IsNull(i) {
			r.indices, r.valid = append(r.indices, 0), append(r.valid, false)
			r.nulls++
			continue
		}
		key := values[offsets[i]-start : offsets[i+1]-start]
		if n := len(r.ends) - 1; n == 0 || !bytes.Equal(key, r.last) {
			if n > 0 && bytes.Compare(key, r.last) < 0 || len(r.bytes)+len(key)+4*n >= dictBytes {
				return i
			}
			r.bytes = append(r.bytes, key...)
			r.ends = append(r.ends, int32(len(r.bytes)))
			r.last = r.bytes[len(r.bytes)-len(key):]
		}
		r.indices, r.valid = append(r.indices, int32(len(r.ends)-2)), append(r.valid, true)
	}
	return keys.Len()
}

// array is what was gathered. It shares the memory of the runs, and the caller releases it.
func (r *keyRuns) array() arrow.Array {
	words := array.NewData(arrow.BinaryTypes.String, len(r.ends)-1, []*memory.Buffer{
		nil, memory.NewBufferBytes(arrow.Int32Traits.CastToBytes(r.ends)), memory.NewBufferBytes(r.bytes),
	}, nil, 0, 0)
	defer words.Release()
	dictionary := array.NewStringData(words)
	defer dictionary.Release()
	b := array.NewInt32Builder(memory.DefaultAllocator)
	defer b.Release()
	if r.nulls > 0 {
		b.AppendValues(r.indices, r.valid)
	} else {
		b.AppendValues(r.indices, nil)
	}
	indices := b.NewInt32Array()
	defer indices.Release()
	return array.NewDictionaryArray(dictionaryOf, indices, dictionary)
}
