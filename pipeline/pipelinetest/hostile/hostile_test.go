package hostile

import (
	"math/rand/v2"
	"testing"
	"time"

	"github.com/spillway-go/spillway/pipeline/pipelinetest"
)

func TestSpeed(t *testing.T) {
	cl := map[string]int{}
	n, rows, dead := 0, 0, 0
	var gen, comp, orc [5]time.Duration
	for seed := range uint64(1000) {
		r := rand.New(rand.NewPCG(1, seed))
		t0 := time.Now()
		p := Plan(r)
		l := Log(r, &p, Options{})
		gen[0] += time.Since(t0)
		t0 = time.Now()
		pl, err := p.Pipeline()
		if err != nil {
			t.Fatal(err, p.String())
		}
		plan, _ := pl.Plan()
		comp[0] += time.Since(t0)
		b := p.Bind(l)
		if err := b.Check(&plan.Source); err != nil {
			t.Fatal(err)
		}
		t0 = time.Now()
		o := pipelinetest.NewOracle(plan, b)
		orc[4] += time.Since(t0)
		for _, e := range o.Events {
			cl[e.Class.String()+" "+e.Reason]++
		}
		for _, rd := range []pipelinetest.Reading{0, 1} {
			t0 = time.Now()
			for _, row := range o.Answer(rd, nil) {
				rows++
				n += len(row.Values)
				if row.Dead {
					dead++
				}
			}
			orc[rd] += time.Since(t0)
		}
	}
	t.Log(cl, "rows", rows, "q", n, "dead", dead, gen[0], comp[0], orc)
}
