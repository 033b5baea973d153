// Package payments generates the benchmark workload: card payments whose cards and merchants follow Zipf's law, so that the
// hottest card has about an eighth of all events, in nearly ordered event time.
//
// The distribution: 100,000 cards and 20,000 merchants by Zipf with s = 1.1; lognormal amounts with two decimals; 500
// events a second of event time from 2026-01-01T00:00Z, each moved back by up to Disorder uniformly, and 0.5 % of them by
// 60 to 300 s.
package payments

import (
	"math"
	"math/rand/v2"
	"strconv"
	"time"
)

// The shape of the workload.
const (
	Cards     = 100_000
	Merchants = 20_000
	PerSecond = 500 // events in a second of event time
)

// Start is the event time of the first payment.
var Start = time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC)

var countries = [...]string{"DE", "FR", "IT", "ES", "NL", "PL", "SE", "US", "GB", "CH"}

// Payment is one card payment.
type Payment struct {
	ID       string    `spill:"id,id"`
	Card     string    `spill:"card,key"`
	Merchant string    `spill:"merchant"`
	Country  string    `spill:"country"`
	Home     string    `spill:"home_country"`
	Amount   float64   `spill:"amount"`
	At       time.Time `spill:"at,time"`
}

// Generator gives payments in the order of their arrival. The same seed gives the same payments.
type Generator struct {
	rand      *rand.Rand
	cards     *rand.Zipf
	merchants *rand.Zipf
	n         int64
	disorder  int64
	often     float64
	late      float64
}

// New makes a generator that moves a share of the events back by up to disorder: all of them in the standard workload,
// with 10 s.
func New(seed uint64, disorder time.Duration, share float64) *Generator {
	r := rand.New(rand.NewPCG(seed, 0))
	return &Generator{
		rand:      r,
		cards:     rand.NewZipf(r, 1.1, 1, Cards-1),
		merchants: rand.NewZipf(r, 1.1, 1, Merchants-1),
		disorder:  disorder.Microseconds(),
		often:     share,
		late:      0.005,
	}
}

// Punctual leaves out the payments that come 60 to 300 s late.
func (g *Generator) Punctual() *Generator {
	g.late = 0
	return g
}

// Standard is the workload that results are quoted for.
func Standard(seed uint64) *Generator { return New(seed, 10*time.Second, 1) }

// Next gives the next payment.
func (g *Generator) Next() Payment {
	r := g.rand
	at := Start.UnixMicro() + g.n*1_000_000/PerSecond
	switch {
	case r.Float64() < g.late:
		at -= 60_000_000 + r.Int64N(240_000_000)
	case g.often >= 1 || r.Float64() < g.often:
		at -= r.Int64N(g.disorder + 1)
	}
	card := g.cards.Uint64()
	home := countries[card%uint64(len(countries))]
	country := home
	if r.Float64() < 0.05 {
		country = countries[r.IntN(len(countries))]
	}
	g.n++
	return Payment{
		ID:       pad("p", uint64(g.n), 9),
		Card:     pad("c", card, 6),
		Merchant: pad("m", g.merchants.Uint64(), 5),
		Country:  country,
		Home:     home,
		Amount:   math.Round(math.Exp(3+r.NormFloat64())*100) / 100,
		At:       time.UnixMicro(at).UTC(),
	}
}

func pad(prefix string, n uint64, width int) string {
	var b [16]byte
	s := strconv.AppendUint(b[:0], n, 10)
	zeros := "0000000000"[:max(0, width-len(s))]
	return prefix + zeros + string(s)
}
