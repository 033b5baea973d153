package online

// Status says what a value is worth.
type Status uint8

// The statuses. A value is that of the feature at the time of asking whatever its status says (O6), but for Invalid.
const (
	Present       Status = iota
	NullValue            // the value is null
	NotFound             // no event of the key has been seen; of a historical feature: the newest run has no values of the key
	OutsideMaxAge        // the run that a historical value comes from is older than allowed
	Invalid              // a live value of the key does not fit its field: there is none (S5)
)

var statusNames = [...]string{"PRESENT", "NULL_VALUE", "NOT_FOUND", "OUTSIDE_MAX_AGE", "INVALID"}

// String is the status as it is served.
func (s Status) String() string { return statusNames[s] }
