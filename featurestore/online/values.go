package online

import (
	"encoding/binary"
	"fmt"
	"math"

	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// appendValues encodes row i of the columns: for each a 0 when it is null, else a 1 and the value, which is a varint, the
// eight bytes of a float, or a text's length and its bytes.
func appendValues(dst []byte, columns []kernel.Column, i int) []byte {
	for c := range columns {
		col := &columns[c]
		if !col.Valid[i] {
			dst = append(dst, 0)
			continue
		}
		dst = append(dst, 1)
		switch col.Kind {
		case schema.Float:
			dst = binary.LittleEndian.AppendUint64(dst, math.Float64bits(col.F[i]))
		case schema.Text:
			text := col.S.At(i)
			dst = append(binary.AppendUvarint(dst, uint64(len(text))), text...)
		default:
			dst = binary.AppendVarint(dst, col.I[i])
		}
	}
	return dst
}

// decodeValues appends the values of a row to the columns. After an error the columns are of different lengths.
func decodeValues(b []byte, columns []kernel.Column) error {
	d := reader{b: b}
	for c := range columns {
		col := &columns[c]
		if len(d.b) == 0 || d.b[0] > 1 {
			return errRecord
		}
		valid := d.b[0] == 1
		d.b = d.b[1:]
		if !valid {
			col.Append(null)
			continue
		}
		col.Valid = append(col.Valid, true)
		switch col.Kind {
		case schema.Float:
			if len(d.b) < 8 {
				return errRecord
			}
			col.F = append(col.F, math.Float64frombits(binary.LittleEndian.Uint64(d.b)))
			d.b = d.b[8:]
		case schema.Text:
			n := d.uvarint()
			if n > uint64(len(d.b)) {
				return errRecord
			}
			col.S.Append(d.b[:n])
			d.b = d.b[n:]
		default:
			col.I = append(col.I, d.varint())
		}
	}
	return d.end()
}

var null = expr.Datum{Null: true}

// copyValue appends value i of one column to another of its kind.
func copyValue(dst, src *kernel.Column, i int) {
	if !src.Valid[i] {
		dst.Append(null)
		return
	}
	dst.Valid = append(dst.Valid, true)
	switch src.Kind {
	case schema.Float:
		dst.F = append(dst.F, src.F[i])
	case schema.Text:
		dst.S.Append(src.S.At(i))
	default:
		dst.I = append(dst.I, src.I[i])
	}
}

// checkColumns tells whether rows have the columns of the program's features.
func checkColumns(rows *kernel.Rows, prog *kernel.Program) error {
	features := prog.Outputs()
	if len(rows.Columns) != len(features) {
		return fmt.Errorf("online: rows of %d features, and %d are historical", len(rows.Columns), len(features))
	}
	for i := range features {
		if rows.Columns[i].Kind != features[i].Kind {
			return fmt.Errorf("online: feature %s is of kind %v, not %v", features[i].Name, rows.Columns[i].Kind, features[i].Kind)
		}
	}
	return nil
}
