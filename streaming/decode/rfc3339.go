package decode

// The times that a column takes: those that RFC 3339 can write, in microseconds since 1970-01-01T00:00Z. What lies
// outside would overflow the arithmetic on times sooner than it would mean something.
const (
	minTime = -62_167_219_200_000_000 // 0000-01-01T00:00:00Z
	maxTime = 253_402_300_799_999_999 // 9999-12-31T23:59:59.999999Z
	second  = int64(1_000_000)        // µs
	dayTime = 24 * 60 * 60 * second   // µs
	example = "2006-01-02T15:04:05"   // the part of fixed length
)

// parseTime reads an RFC 3339 time, with any number of digits behind the point, as microseconds since 1970, floored.
// A leap second is refused: the count of microseconds has no place for it.
func parseTime(b []byte) (micros int64, ok bool) {
	if len(b) <= len(example) || b[4] != '-' || b[7] != '-' || b[10]|0x20 != 't' || b[13] != ':' || b[16] != ':' {
		return 0, false
	}
	century, ok0 := two(b, 0)
	year, ok1 := two(b, 2)
	month, ok2 := two(b, 5)
	day, ok3 := two(b, 8)
	hour, ok4 := two(b, 11)
	minute, ok5 := two(b, 14)
	sec, ok6 := two(b, 17)
	year += 100 * century
	if !(ok0 && ok1 && ok2 && ok3 && ok4 && ok5 && ok6) || month-1 > 11 || day-1 >= daysIn(year, month) ||
		hour > 23 || minute > 59 || sec > 59 {
		return 0, false
	}
	micros = days(year, month, day)*dayTime + int64((hour*60+minute)*60+sec)*second
	i := len(example)
	if b[i] == '.' {
		fraction, end := parseFraction(b, i+1)
		if end == i+1 || end == len(b) {
			return 0, false
		}
		micros += fraction
		i = end
	}
	offset, ok := parseOffset(b[i:])
	micros -= offset
	return micros, ok && minTime <= micros && micros <= maxTime
}

// two reads two digits.
func two(b []byte, i int) (uint, bool) {
	tens, ones := b[i]-'0', b[i+1]-'0'
	return uint(tens)*10 + uint(ones), tens <= 9 && ones <= 9
}

// parseFraction reads the digits from i on as microseconds. What is finer is dropped, which floors before 1970 as well,
// since a fraction counts forward.
func parseFraction(b []byte, i int) (micros int64, end int) {
	unit := second / 10
	for ; i < len(b) && b[i]-'0' <= 9; i++ {
		micros += int64(b[i]-'0') * unit
		unit /= 10
	}
	return micros, i
}

// parseOffset reads Z or ±hh:mm as microseconds east of Greenwich.
func parseOffset(b []byte) (micros int64, ok bool) {
	if len(b) == 1 {
		return 0, b[0]|0x20 == 'z'
	}
	if len(b) != len("+00:00") || b[0] != '+' && b[0] != '-' || b[3] != ':' {
		return 0, false
	}
	hour, ok0 := two(b, 1)
	minute, ok1 := two(b, 4)
	micros = int64(hour*60+minute) * 60 * second
	if b[0] == '-' {
		micros = -micros
	}
	return micros, ok0 && ok1 && hour <= 23 && minute <= 59
}

// daysIn is the number of days of the month, 1 to 12.
func daysIn(year, month uint) uint {
	if month == 2 {
		if year%4 == 0 && (year%100 != 0 || year%400 == 0) {
			return 29
		}
		return 28
	}
	return 30 + (month+month>>3)&1
}

// days counts from 1970-01-01 to a date of the Gregorian calendar. The year is taken to begin in March, so that the leap
// day is its last, and the months from there on follow a pattern of 153 days in five.
func days(year, month, day uint) int64 {
	y, m := int64(year), int64(month)
	if m <= 2 {
		y--
		m += 12
	}
	// A year 0 that begins in March lies in the era before; adding a whole era of 400 years keeps divisions positive.
	y += 400
	const fromEra = 719_468 + 146_097 // days from March of the year -400 to 1970
	return 365*y + y/4 - y/100 + y/400 + (153*(m-3)+2)/5 + int64(day) - 1 - fromEra
}
