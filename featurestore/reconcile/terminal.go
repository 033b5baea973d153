package reconcile

import (
	"strings"
	"unicode/utf8"
)

// wrap writes words behind the indent, and what does not fit the width on further lines, indented by two more.
func (t *text) wrap(indent, words string) {
	at := 0
	for _, w := range strings.Fields(words) {
		n := utf8.RuneCountInString(w)
		switch {
		case at == 0:
			t.WriteString(indent)
			at = len(indent)
		case at+1+n > t.width:
			t.WriteString("\n" + indent + "  ")
			at = len(indent) + 2
		default:
			t.WriteString(" ")
			at++
		}
		t.WriteString(w)
		at += n
	}
	t.WriteString("\n")
}

// width is how many columns a table takes.
func width(indent, align string, rows [][]string) int {
	n := len(indent) + 2*(len(align)-1)
	for c := range align {
		widest := 0
		for _, r := range rows {
			widest = max(widest, utf8.RuneCountInString(r[c]))
		}
		n += widest
	}
	return n
}

// table writes rows in aligned columns, l for left and r for right, and cuts the last one at the width.
func (t *text) table(indent, align string, rows [][]string) {
	widths := make([]int, len(align))
	for _, r := range rows {
		for c, cell := range r {
			widths[c] = max(widths[c], utf8.RuneCountInString(cell))
		}
	}
	for _, r := range rows {
		line := indent
		for c, cell := range r {
			pad := strings.Repeat(" ", widths[c]-utf8.RuneCountInString(cell))
			if c > 0 {
				line += "  "
			}
			if align[c] == 'r' {
				line += pad + cell
			} else {
				line += cell + pad
			}
		}
		line = strings.TrimRight(line, " ")
		if utf8.RuneCountInString(line) > t.width {
			line = string([]rune(line)[:t.width-1]) + "…"
		}
		t.line("%s", line)
	}
}
