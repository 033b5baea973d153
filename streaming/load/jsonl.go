package load

import "fmt"

// jsonl is a file of one JSON object a line.
type jsonl struct {
	lines
	scan scanner
}

func newJSONL(in *input, names [routingFields]string) *jsonl {
	return &jsonl{lines: lines{input: in}, scan: scanner{names: names}}
}

func (j *jsonl) next(r *record) error {
	for {
		line, err := j.lines.next()
		if err != nil {
			return err
		}
		if space(line, 0) == len(line) {
			continue
		}
		ok := j.scan.object(line)
		*r = record{value: line, fields: j.scan.fields, line: j.number, malformed: !ok, cut: !ok}
		return nil
	}
}

func (j *jsonl) flaw() string {
	return fmt.Sprintf("JSON, byte %d: expected %s", j.scan.at, j.scan.expected)
}
