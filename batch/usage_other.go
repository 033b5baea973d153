//go:build !unix

package batch

import "time"

// cpuTime and peakMemory are not known here.
func cpuTime() time.Duration { return 0 }
func peakMemory() int64      { return 0 }
