package training

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/apache/arrow-go/v18/arrow"
	"github.com/apache/arrow-go/v18/arrow/array"
	"github.com/apache/arrow-go/v18/arrow/memory"

	"github.com/spillway-go/spillway/internal/fault"
)

// jsonColumn is a member of the objects of a JSONL file: its values as JSON. A member that is absent is null.
type jsonColumn struct {
	values []string
}

const jsonNull = "null"

// objects is a JSONL file being read.
type objects struct {
	labels  *Labels
	columns map[string]*jsonColumn
	lines   int
}

// longestLine bounds one line of a JSONL file.
const longestLine = 64 << 20 // bytes

func readJSONL(ctx context.Context, path string, in io.Reader, o Options) (*Labels, error) {
	l := &Labels{path: path}
	f := &objects{labels: l, columns: map[string]*jsonColumn{}}
	lines := bufio.NewScanner(in)
	lines.Buffer(make([]byte, 1<<16), longestLine)
	var numbers []int // of the lines that hold labels
	line := 0
	for lines.Scan() && ctx.Err() == nil {
		line++
		text := bytes.TrimSpace(lines.Bytes())
		if len(text) == 0 {
			continue
		}
		if err := f.add(text); err != nil {
			return nil, l.unreadable(line, err)
		}
		numbers = append(numbers, line)
	}
	if err := errors.Join(lines.Err(), ctx.Err()); err != nil {
		return nil, l.unreadable(line+1, err)
	}
	if len(numbers) == 0 {
		return nil, fault.New("labels "+path, "are empty", "write one JSON object a line")
	}
	return l, f.index(o, numbers)
}

// add adds the object of one line.
func (f *objects) add(line []byte) error {
	if !utf8.Valid(line) {
		return errEncoding
	}
	d := json.NewDecoder(bytes.NewReader(line))
	if t, err := d.Token(); err != nil || t != json.Delim('{') {
		return errors.Join(errors.New("it holds no JSON object"), err)
	}
	for d.More() {
		name, err := d.Token()
		if err != nil {
			return err
		}
		var value json.RawMessage
		if err := d.Decode(&value); err != nil {
			return err
		}
		if err := f.set(name.(string), string(value)); err != nil {
			return err
		}
	}
	if _, err := d.Token(); err != nil {
		return err
	}
	if _, err := d.Token(); err != io.EOF {
		return errors.New("something follows the object")
	}
	f.lines++
	return nil
}

func (f *objects) set(name, value string) error {
	c := f.columns[name]
	if c == nil {
		c = &jsonColumn{}
		f.columns[name] = c
		f.labels.names = append(f.labels.names, name)
		f.labels.cols = append(f.labels.cols, c)
	}
	if len(c.values) > f.lines {
		return fmt.Errorf("it has the member %q twice", name)
	}
	c.fill(f.lines)
	c.values = append(c.values, value)
	return nil
}

// fill completes the column with nulls up to n values.
func (c *jsonColumn) fill(n int) {
	for len(c.values) < n {
		c.values = append(c.values, jsonNull)
	}
}

// index takes the keys and times from their columns.
func (f *objects) index(o Options, lines []int) error {
	l := f.labels
	for _, c := range f.columns {
		c.fill(f.lines)
	}
	key, at, err := l.place(o)
	if err != nil {
		return err
	}
	x := l.index()
	keys, times := l.cols[key].(*jsonColumn).values, l.cols[at].(*jsonColumn).values
	for i := range keys {
		where := fmt.Sprintf("line %d", lines[i])
		k, err := jsonText(keys[i])
		if err != nil {
			return l.fail(where, fmt.Sprintf("the key %q is %s, %v", o.Key, keys[i], err), "write the key as a string")
		}
		t, err := jsonText(times[i])
		if err != nil {
			return l.fail(where, fmt.Sprintf("the time %q is %s, %v", o.Time, times[i], err), timeRemedy)
		}
		if err := x.addText(where, o.Key, k, keys[i] != jsonNull, o.Time, t, times[i] != jsonNull); err != nil {
			return err
		}
	}
	return nil
}

// jsonText is the text of a JSON string; null is no error.
func jsonText(value string) (text string, err error) {
	if value == jsonNull {
		return "", nil
	}
	if value[0] != '"' {
		return "", errors.New("which is no string")
	}
	if err := json.Unmarshal([]byte(value), &text); err != nil {
		return "", err
	}
	// encoding/json puts this in the place of half a surrogate; a key must not change on its way in.
	if strings.ContainsRune(text, utf8.RuneError) && strings.Contains(strings.ToLower(value), `\ud`) {
		return "", errors.New("which holds half a surrogate")
	}
	return text, nil
}

func (c *jsonColumn) appendJSON(dst []byte, i int) []byte { return append(dst, c.values[i]...) }

// appendCSV writes texts as they are and all else as JSON.
func (c *jsonColumn) appendCSV(dst []byte, i int) []byte {
	v := c.values[i]
	if v == jsonNull {
		return dst
	}
	if text, err := jsonText(v); err == nil {
		return appendField(dst, text)
	}
	return appendField(dst, v)
}

// array gives the column the narrowest type that holds all its values unchanged: bool, int64, float64 or text. Values of
// several kinds, arrays and objects are texts that hold JSON.
func (c *jsonColumn) array() (arrow.Array, error) {
	switch {
	case c.all(func(v string) bool { return v == "true" || v == "false" }):
		return c.build(array.NewBooleanBuilder(memory.DefaultAllocator), func(b array.Builder, v string) {
			b.(*array.BooleanBuilder).Append(v == "true")
		}), nil
	case c.all(func(v string) bool { _, err := strconv.ParseInt(v, 10, 64); return err == nil }):
		return c.build(array.NewInt64Builder(memory.DefaultAllocator), func(b array.Builder, v string) {
			n, _ := strconv.ParseInt(v, 10, 64)
			b.(*array.Int64Builder).Append(n)
		}), nil
	case c.all(isFloat):
		return c.build(array.NewFloat64Builder(memory.DefaultAllocator), func(b array.Builder, v string) {
			x, _ := strconv.ParseFloat(v, 64)
			b.(*array.Float64Builder).Append(x)
		}), nil
	}
	plain := c.all(func(v string) bool { return v[0] == '"' })
	return c.build(array.NewStringBuilder(memory.DefaultAllocator), func(b array.Builder, v string) {
		if plain {
			if text, err := jsonText(v); err == nil {
				v = text
			}
		}
		b.(*array.StringBuilder).Append(v)
	}), nil
}

// all tells whether the condition holds for every value, and there is one.
func (c *jsonColumn) all(holds func(string) bool) bool {
	some := false
	for _, v := range c.values {
		if v == jsonNull {
			continue
		}
		if !holds(v) {
			return false
		}
		some = true
	}
	return some
}

// exactDigits is how many significant digits a double keeps of any decimal number.
const exactDigits = 15

// isFloat tells whether a double holds the JSON number unchanged.
func isFloat(v string) bool {
	if c := v[0]; c != '-' && (c < '0' || c > '9') {
		return false
	}
	f, err := strconv.ParseFloat(v, 64)
	if err != nil {
		return false
	}
	digits := 0
	for i := range len(v) {
		if v[i]|0x20 == 'e' {
			break
		}
		if v[i] >= '0' && v[i] <= '9' && (digits > 0 || v[i] != '0') {
			digits++
		}
	}
	return digits <= exactDigits || strconv.FormatFloat(f, 'g', -1, 64) == v || strconv.FormatFloat(f, 'f', -1, 64) == v
}

func (c *jsonColumn) build(b array.Builder, add func(array.Builder, string)) arrow.Array {
	defer b.Release()
	b.Reserve(len(c.values))
	for _, v := range c.values {
		if v == jsonNull {
			b.AppendNull()
		} else {
			add(b, v)
		}
	}
	return b.NewArray()
}
