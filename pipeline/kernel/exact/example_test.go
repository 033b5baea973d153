package exact_test

import (
	"fmt"

	"github.com/spillway-go/spillway/pipeline/kernel/exact"
)

// An arena of three sums slides a window of two values over a column: what leaves the window leaves no trace.
func Example() {
	var pool exact.Pool
	arena := make([]uint64, 3*exact.SumWords)
	second := (*exact.Sum)(arena[1*exact.SumWords : 2*exact.SumWords])

	column := []float64{1e16, 1, 0.1, 0.2}
	for i, x := range column {
		second.Add(x, &pool)
		if i >= 2 {
			second.Sub(column[i-2], &pool)
		}
		mean, _ := second.Mean(&pool)
		fmt.Println(second.Value(&pool), mean)
	}
	// Output:
	// 1e+16 1e+16
	// 1e+16 5e+15
	// 1.1 0.55
	// 0.30000000000000004 0.15000000000000002
}
