package cards

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"math/rand/v2"
	"time"
)

var countries = [...]string{"DE", "FR", "IT", "ES", "NL"}

// Generate writes n made-up payments as JSON lines, in the order of their arrival, two a second on average. One in a hundred
// is minutes late, one in two hundred comes twice, and one in a thousand is broken. The same seed gives the same payments.
func Generate(w io.Writer, n int, seed uint64) error {
	r := rand.New(rand.NewPCG(seed, 0))
	out := bufio.NewWriter(w)
	arrived := time.Date(2026, 3, 1, 8, 0, 0, 0, time.UTC)
	for i := range n {
		arrived = arrived.Add(time.Duration(r.IntN(1000)) * time.Millisecond)
		at := arrived.Add(-time.Duration(r.IntN(5000)) * time.Millisecond)
		if r.IntN(100) == 0 {
			at = at.Add(-time.Duration(r.IntN(20*60)) * time.Second)
		}
		card := int(300 * math.Pow(r.Float64(), 3)) // a few cards are used much
		home := countries[card%len(countries)]
		country := home
		if r.IntN(20) == 0 {
			country = countries[r.IntN(len(countries))]
		}
		amount := fmt.Sprintf("%.2f", math.Exp(3+r.NormFloat64()))
		if r.IntN(1000) == 0 {
			amount = `"unknown"`
		}
		line := fmt.Sprintf(`{"id":"p%06d","card":"c%03d","merchant":"m%03d","country":%q,"home_country":%q,"amount":%s,"at":%q,"arrived":%q}`+"\n",
			i, card, r.IntN(80), country, home, amount, at.Format(time.RFC3339Nano), arrived.Format(time.RFC3339Nano))
		copies := 1
		if r.IntN(200) == 0 {
			copies = 2
		}
		for range copies {
			if _, err := out.WriteString(line); err != nil {
				return err
			}
		}
	}
	return out.Flush()
}
