package reconcile

import (
	"encoding/json"
	"math/rand/v2"
	"testing"

	"github.com/spillway-go/spillway/pipeline/pipelinetest/hostile"
)

// TestRandom reconciles hostile logs, whose stream and batch are the kernel's: nothing may be unexplained.
func TestRandom(t *testing.T) {
	var seen [causes]int64
	var either, jointly int64
	for seed := range uint64(seeds()) {
		r := rand.New(rand.NewPCG(seed, 7))
		p := hostile.Plan(r)
		l := hostile.Log(r, &p, hostile.Options{})
		w := newWorld(t, planOf(t, &p), p.Bind(l))
		w.batch = 1 + r.IntN(40)
		rep := w.run(t, Options{})
		if rep.count(Unexplained) > 0 || rep.Identity.Agreed != rep.Identity.ServedRows || rep.Identity.Agreed != rep.Identity.StreamRows {
			out, _ := json.MarshalIndent(rep, "", " ")
			t.Fatalf("seed %d: %s\n%s\n%s", seed, rep.Verdict.Sentence, p.String(), out)
		}
		if rep.Identity.Compared > 0 && rep.Verdict.Outcome != Agrees {
			t.Fatalf("seed %d: %+v\n%+v", seed, rep.Verdict, rep.Identity)
		}
		for _, c := range rep.Causes {
			seen[c.Cause] += c.Differences
			either += c.Either
			jointly += c.Jointly
		}
	}
	t.Logf("differences %v, either %d, jointly %d", seen, either, jointly)
	for c := range Unsettled {
		if seen[c] == 0 {
			t.Errorf("no difference was %s: the logs do not try it", c)
		}
	}
}

func seeds() int {
	if testing.Short() {
		return 40
	}
	return 200
}
