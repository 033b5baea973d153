package conformance

import (
	"errors"
	"flag"
	"fmt"
	"math/rand/v2"
	"os"
	"strconv"
	"strings"
	"testing"

	"github.com/spillway-go/spillway/pipeline/pipelinetest"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/fixture"
	"github.com/spillway-go/spillway/pipeline/pipelinetest/hostile"
)

var (
	questionsFlag = flag.Int("conformance.questions", 0, "random questions to ask each engine")
	seedFlag      = flag.Uint64("conformance.seed", 1, "seed of the conformance suite's random questions")
)

// Options are how much the suite asks.
type Options struct {
	Questions int    // random ones, at least
	Seed      uint64 // of the random plans and logs: one seed, one suite
	Tries     int    // questions spent on making a failure small
}

// Report is what the suite asked.
type Report struct {
	Fixtures  int // cases
	Logs      int // random ones
	Long      int // of them
	Questions int // one feature at one ask of a random log
	Laws      int // logs under which the laws were held
}

// String is the report in one line.
func (r Report) String() string {
	return fmt.Sprintf("%d fixtures, %d questions of %d random logs, %d of them long, %d logs under the laws",
		r.Fixtures, r.Questions, r.Logs, r.Long, r.Laws)
}

// Run holds the engine to the suite, and reports how many questions it answered.
func Run(t *testing.T, e Engine) {
	t.Helper()
	options, err := options()
	if err != nil {
		t.Fatal(err)
	}
	report, err := Check(e, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s as %s: %s", e.Name, e.Reading, report)
}

func options() (Options, error) {
	o := Options{Questions: *questionsFlag, Seed: *seedFlag, Tries: 400}
	if env := os.Getenv("SPILLWAY_QUESTIONS"); o.Questions == 0 && env != "" {
		n, err := strconv.Atoi(env)
		if err != nil || n < 0 {
			return o, fmt.Errorf("SPILLWAY_QUESTIONS is %q: want a number of questions", env)
		}
		o.Questions = n
	}
	if o.Questions == 0 {
		o.Questions = 20_000
	}
	return o, nil
}

// Check is Run without a test: its error holds the first failure, made small.
func Check(e Engine, o Options) (Report, error) {
	var report Report
	for _, step := range []func(*Engine, Options, *Report) error{askFixtures, askRandom, askLaws} {
		if err := step(&e, o, &report); err != nil {
			return report, err
		}
	}
	return report, nil
}

func askFixtures(e *Engine, _ Options, report *Report) error {
	cases, err := fixture.All()
	if err != nil {
		return err
	}
	for _, c := range cases {
		asked, err := e.fixture(c)
		if err != nil {
			return fmt.Errorf("fixture %q: %w", c.Name, err)
		}
		if asked {
			report.Fixtures++
		}
	}
	return nil
}

// Of its random logs, a costly engine gets at most so many that are short, and at most so many under the laws.
const (
	mostShort = 200
	mostLaws  = 10
)

// isLong tells whether random log n is to be a long one: one in 200; of a costly engine all after the first half of the
// questions, at least one.
func isLong(e *Engine, o Options, n uint64, asked int) bool {
	if e.Costly {
		return n >= mostShort || asked >= o.Questions/2
	}
	return n%200 == 199
}

func askRandom(e *Engine, o Options, report *Report) error {
	for n := uint64(0); report.Questions < o.Questions || e.Costly && report.Long == 0; n++ {
		long := isLong(e, o, n, report.Questions)
		t := e.random(rand.New(rand.NewPCG(o.Seed, n)), hostile.Options{Long: long})
		questions, err := e.try(t, nil)
		report.Questions += questions
		report.Logs++
		if long {
			report.Long++
		}
		if err != nil {
			return fmt.Errorf("random log %d of seed %d: %w", n, o.Seed, e.shrink(t, err, o.Tries))
		}
	}
	return nil
}

// askLaws asks under the laws once for each thousand random questions.
func askLaws(e *Engine, o Options, report *Report) error {
	for report.Laws*1000 < o.Questions && !(e.Costly && report.Laws == mostLaws) {
		for _, law := range Laws {
			if err := law.Check(*e, rand.New(rand.NewPCG(o.Seed, uint64(report.Laws)))); err != nil {
				return fmt.Errorf("law %q, log %d of seed %d: %w", law.Name, report.Laws, o.Seed, err)
			}
		}
		report.Laws++
	}
	return nil
}

// random makes a trial that the engine can take.
func (e *Engine) random(r *rand.Rand, o hostile.Options) *trial {
	o.Finite = e.JSON
	t := &trial{plan: hostile.Plan(r), seed: r.Uint64()}
	t.log = hostile.Log(r, &t.plan, o)
	return t
}

// fixture tries a fixture's case, if it speaks of the engine's reading or asks for nothing in particular.
func (e *Engine) fixture(c *fixture.Case) (bool, error) {
	expect := c.Of(e.Reading)
	if e.JSON && !c.Log.Finite() || expect == nil && e.Reading.Asked() {
		return false, nil
	}
	t := &trial{plan: c.Plan, log: c.Log, parts: single}
	if expect == nil || e.Dense {
		if expect != nil {
			t.asks = expect.Asks
		}
		_, err := e.try(t, nil)
		return true, err
	}
	t.asks = expect.Asks
	_, err := e.try(t, expect.Rows)
	return true, err
}

// try asks the engine and compares its rows with those given, or with the oracle's.
func (e *Engine) try(t *trial, want []pipelinetest.Row) (questions int, err error) {
	q, oracle, err := t.question(e)
	if err != nil {
		return 0, err
	}
	if want == nil {
		want = oracle.Answer(e.Reading, q.Asks)
	}
	got, err := e.Answer(q)
	if err != nil {
		return 0, &failure{t, fmt.Sprintf("%s fails: %v\n", e.Name, err)}
	}
	c := comparison{engine: e, plan: q.Plan}
	c.rows(got.Rows, want)
	if len(c.found) > 0 {
		return c.questions, &failure{t, c.table(oracle)}
	}
	if got.Accounts != nil {
		err = sameAccounts(t, got.Accounts, pipelinetest.Accounts(oracle.Events))
	}
	return c.questions, err
}

func sameAccounts(t *trial, got, want map[int32]pipelinetest.Account) error {
	for p, w := range want {
		if got[p] != w {
			return &failure{t, fmt.Sprintf("partition %d: accounts %+v, want %+v\n", p, got[p], w)}
		}
	}
	if len(got) != len(want) {
		return &failure{t, fmt.Sprintf("accounts of %d partitions, want %d\n", len(got), len(want))}
	}
	return nil
}

// failure is a trial that went wrong, and how.
type failure struct {
	trial *trial
	how   string
}

// Error is the failure as a fixture, with what went wrong below it.
func (f *failure) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "\ncase failing\n%s%s", fixture.FormatLog(f.trial.log), f.trial.plan.String())
	b.WriteString(f.how)
	return b.String()
}

// shrink makes a failing trial small, and gives what is then wrong.
func (e *Engine) shrink(t *trial, first error, tries int) error {
	last := first
	hostile.Shrink(t.plan, t.log, tries, func(p fixture.Plan, l pipelinetest.Log) bool {
		smaller := *t
		smaller.plan, smaller.log = p, l
		q, _, err := smaller.question(e)
		if err != nil || len(e.Reading.Features(q.Plan)) == 0 {
			return false
		}
		_, err = e.try(&smaller, nil)
		var failed *failure
		if errors.As(err, &failed) {
			last = err
		}
		return failed != nil
	})
	return last
}
