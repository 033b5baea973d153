package kernel

// SetBlockRows changes how many rows a block of a slice has, and gives what it was.
func SetBlockRows(n int) (before int) {
	before = blockRows
	blockRows = n
	return before
}
