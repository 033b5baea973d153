package conformance

import (
	"errors"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/spillway-go/spillway/pipeline/expr"
	"github.com/spillway-go/spillway/pipeline/pipelinetest"
)

// TestLawsCanFail gives each law an engine that loses a row where the law has changed something.
func TestLawsCanFail(t *testing.T) {
	holds := func(q *Question, is func(*pipelinetest.Record) bool) bool {
		return slices.ContainsFunc(q.Log, func(r pipelinetest.Record) bool { return r.Values != nil && is(&r) })
	}
	isStranger := func(r *pipelinetest.Record) bool {
		return slices.ContainsFunc(r.Values, func(v expr.Datum) bool { return v.S == stranger })
	}
	changed := map[string]func(*Question) bool{
		"splitting batches anywhere": func(q *Question) bool { return len(q.Parts()) > 2 },
		"restarting anywhere": func(q *Question) bool {
			return slices.ContainsFunc(q.Parts(), func(p Part) bool { return p.Restart })
		},
		"adding an unrelated key": func(q *Question) bool {
			return holds(q, func(r *pipelinetest.Record) bool { return isStranger(r) && r.Partition != 9 })
		},
		"adding an unrelated partition": func(q *Question) bool {
			return holds(q, func(r *pipelinetest.Record) bool { return isStranger(r) && r.Partition == 9 })
		},
		"adding an unrelated feature": func(q *Question) bool {
			return q.Plan.Features[len(q.Plan.Features)-1].Window.Micros() == 1
		},
		"permuting arrival": func(q *Question) bool {
			return holds(q, func(r *pipelinetest.Record) bool {
				id := r.Values[0].S // by default it ends in the offset that the record was made with
				return strings.HasPrefix(id, "#") && !strings.HasSuffix(id, "/"+strconv.FormatInt(r.Offset, 10))
			})
		},
	}
	if len(changed) != len(Laws) {
		t.Errorf("%d laws, of which %d can fail here", len(Laws), len(changed))
	}
	for _, law := range Laws {
		t.Run(law.Name, func(t *testing.T) {
			e := oracleEngine(pipelinetest.AsServed)
			if law.Name == "permuting arrival" {
				e = oracleEngine(pipelinetest.Truth)
			}
			if err := law.Check(e, rand.New(rand.NewPCG(1, 1))); err != nil {
				t.Errorf("the oracle is refused: %v", err)
			}
			inner := e.Answer
			e.Answer = func(q *Question) (*Answers, error) {
				a, err := inner(q)
				if err == nil && changed[law.Name](q) {
					a.Rows = slices.DeleteFunc(a.Rows, func(r pipelinetest.Row) bool { return r.Key != stranger })
				}
				return a, err
			}
			for seed := range uint64(20) {
				if err := law.Check(e, rand.New(rand.NewPCG(1, seed))); err != nil {
					return
				}
			}
			t.Error("the law accepts an engine that it must refuse")
		})
	}
}

func TestEngineThatFails(t *testing.T) {
	e := Engine{Name: "idle", Answer: func(*Question) (*Answers, error) { return nil, errors.New("no answer today") }}
	for _, step := range []func(*Engine, Options, *Report) error{askFixtures, askRandom, askLaws} {
		err := step(&e, Options{Questions: 1, Seed: 1, Tries: 50}, new(Report))
		if err == nil || !strings.Contains(err.Error(), "idle fails: no answer today") {
			t.Errorf("got %v", err)
		}
	}
	if _, err := Check(e, Options{}); err == nil {
		t.Error("the suite accepts it")
	}
}

// TestCostlyEngine asks an engine that goes wrong only far into a log: short logs do not find it, and a long one is made small.
func TestCostlyEngine(t *testing.T) {
	e := oracleEngine(pipelinetest.AsServed)
	e.Costly = true
	o := Options{Questions: 3000, Seed: 1, Tries: 400}
	var report Report
	if err := askRandom(&e, o, &report); err != nil {
		t.Fatal(err)
	}
	if short := report.Logs - report.Long; short < 3 || report.Long == 0 || report.Questions < o.Questions {
		t.Errorf("the suite asked %s", report)
	}
	inner := e.Answer
	e.Answer = func(q *Question) (*Answers, error) {
		a, err := inner(q)
		a.Rows = slices.DeleteFunc(a.Rows, func(r pipelinetest.Row) bool { return r.Offset > 1000 })
		return a, err
	}
	err := askRandom(&e, o, new(Report))
	if err == nil {
		t.Fatal("the suite accepts it")
	}
	if lines := strings.Count(err.Error(), "\n"); lines > 30 {
		t.Errorf("the report has %d lines:\n%v", lines, err)
	}
	e.Answer = inner
	report = Report{}
	if err := askLaws(&e, Options{Questions: 1_000_000, Seed: 1}, &report); err != nil || report.Laws != mostLaws {
		t.Errorf("%d laws, %v", report.Laws, err)
	}
}

func TestAccountsAreCompared(t *testing.T) {
	e := oracleEngine(pipelinetest.AsServed)
	inner := e.Answer
	e.Answer = func(q *Question) (*Answers, error) {
		a, err := inner(q)
		a.Accounts[77] = pipelinetest.Account{}
		return a, err
	}
	if err := askRandom(&e, Options{Questions: 1, Seed: 1}, new(Report)); err == nil || !strings.Contains(err.Error(), "accounts of ") {
		t.Errorf("got %v", err)
	}
}

func TestOptions(t *testing.T) {
	given := *questionsFlag
	defer func() { *questionsFlag = given }()
	*questionsFlag = 0
	for _, test := range []struct {
		env  string
		want int
	}{{"", 20_000}, {"5", 5}, {"many", -1}, {"-3", -1}} {
		t.Setenv("SPILLWAY_QUESTIONS", test.env)
		o, err := options()
		if (err != nil) != (test.want < 0) || err == nil && o.Questions != test.want {
			t.Errorf("SPILLWAY_QUESTIONS=%q: %d questions, %v", test.env, o.Questions, err)
		}
	}
}
