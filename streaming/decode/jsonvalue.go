package decode

import (
	"math"

	"github.com/spillway-go/spillway/pipeline/schema"
)

// member reads the value that begins at i into the column.
func (d *jsonDecoder) member(c *column, row int, v []byte, i int) int {
	if i == len(v) {
		return d.notJSON(v, i, "a value")
	}
	switch b := v[i]; {
	case b == '"':
		return d.textMember(c, row, v, i)
	case b == '-' || b-'0' <= 9:
		return d.numberMember(c, row, v, i)
	case b == 'n':
		end := d.literal(v, i, "null")
		if end >= 0 {
			c.null(row)
		}
		return end
	case c.field.Kind == schema.Bool && (b == 't' || b == 'f'):
		end := d.skip(v, i, 1)
		if end >= 0 {
			c.setBool(row, b == 't')
		}
		return end
	}
	end := d.skip(v, i, 1)
	if end < 0 {
		return -1
	}
	return d.misfit(c, v[i:end], jsonKinds[c.field.Kind])
}

// jsonKinds is what each kind takes, as a flaw names it.
var jsonKinds = [...]string{
	schema.Bool:  "true or false",
	schema.Int:   "an integer",
	schema.Float: "a number",
	schema.Text:  "a text",
	schema.Time:  "an RFC 3339 time or whole microseconds since 1970",
}

func (d *jsonDecoder) textMember(c *column, row int, v []byte, i int) int {
	end, escaped := d.scanText(v, i+1)
	if end < 0 {
		return -1
	}
	text, whole := v[i+1:end], v[i:end+1]
	if escaped {
		var ok bool
		if d.scratch, ok = appendUnescaped(d.scratch[:0], text); !ok {
			return d.misfit(c, whole, "a text without half a surrogate pair")
		}
		text = d.scratch
	}
	switch c.field.Kind {
	case schema.Text:
		c.setText(row, text)
	case schema.Time:
		micros, ok := parseTime(text)
		if !ok {
			return d.misfit(c, whole, jsonKinds[schema.Time])
		}
		c.setWord(row, uint64(micros))
	case schema.Float:
		f, ok := namedFloat(text)
		if !ok {
			return d.misfit(c, whole, jsonKinds[schema.Float])
		}
		c.setWord(row, math.Float64bits(f))
	default:
		return d.misfit(c, whole, jsonKinds[c.field.Kind])
	}
	return end + 1
}

// namedFloat is the double that JSON has no number for.
func namedFloat(name []byte) (float64, bool) {
	switch string(name) {
	case "NaN":
		return math.NaN(), true
	case "Infinity":
		return math.Inf(1), true
	case "-Infinity":
		return math.Inf(-1), true
	}
	return 0, false
}

func (d *jsonDecoder) numberMember(c *column, row int, v []byte, i int) int {
	n, end, ok := scanNumber(v, i)
	if !ok {
		return d.notJSON(v, end, "a number")
	}
	text := v[i:end]
	switch c.field.Kind {
	case schema.Int, schema.Time:
		return d.integerMember(c, row, n, text, end)
	case schema.Float:
		f, ok := n.float(text)
		if !ok {
			return d.misfit(c, text, "a number that fits a double")
		}
		c.setWord(row, math.Float64bits(f))
		return end
	}
	return d.misfit(c, text, jsonKinds[c.field.Kind])
}

func (d *jsonDecoder) integerMember(c *column, row int, n number, text []byte, end int) int {
	value, whole, fits := n.integer(text)
	if !whole {
		return d.misfit(c, text, jsonKinds[c.field.Kind])
	}
	if !fits || value < c.lowest || value > c.highest {
		return d.outside(c, text, c.lowest, c.highest)
	}
	c.setWord(row, uint64(value))
	return end
}
