package kernel

// SetBlockRows changes how many rows a block of a slice has, and gives what it was.
func SetBlockRows(n int) (before int) {
	before = blockRows
	blockRows = n
	return before
}

// SetRibs changes from how many rows on a move looks for ribs, and after how many walks they are made.
func SetRibs(far, walks int) (farBefore, walksBefore int) {
	farBefore, walksBefore = farRows, ribWalks
	farRows, ribWalks = far, walks
	return farBefore, walksBefore
}
