//go:build !unix

package spillway

// lockFile does nothing where files cannot be locked: two processes on one data folder are then the user's to avoid.
func lockFile(string) (unlock func(), err error) { return func() {}, nil }
