package kernel_test

import (
	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/kernel"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/schema"
)

func rowsOf(p *kernel.Program, rows *kernel.Rows) []pipelinetest.Row {
	var out []pipelinetest.Row
	for i := range rows.Len() {
		row := pipelinetest.Row{Key: string(rows.Keys.At(i)), AskTime: rows.AskTime[i], Partition: rows.Partition[i], Offset: rows.Offset[i], Revision: rows.Revision[i]}
		if row.Offset < 0 {
			row.Partition = -1
		}
		for c := range rows.Columns {
			col := &rows.Columns[c]
			d := expr.Datum{Null: !col.Valid[i]}
			if col.Valid[i] {
				switch col.Kind {
				case schema.Float:
					d.F = col.F[i]
				case schema.Text:
					d.S = string(col.S.At(i))
				default:
					d.I = col.I[i]
				}
			}
			row.Values = append(row.Values, d)
		}
		out = append(out, row)
	}
	return out
}
