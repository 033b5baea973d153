package decode

import (
	"math"
	"math/rand/v2"
	"strconv"
	"strings"
	"testing"
)

func TestJSON(t *testing.T) {
	for _, c := range []struct{ value, want string }{
		// The object.
		{`{}`, ``},
		{" \t\r\n{ \"n\" : 1 , \"b\" : true } \n", `b=true n=1`},
		{`{"n":1}{`, `flaw: JSON, byte 7: expected nothing after the object, found {`},
		{`{"n":1},`, `flaw: JSON, byte 7: expected nothing after the object, found ,`},
		{`{"n":1}` + "\x00", `flaw: JSON, byte 7: expected nothing after the object, found \u{0}`},
		{`[1]`, `flaw: JSON, byte 0: expected an object, found [1]`},
		{`null`, `flaw: JSON, byte 0: expected an object, found null`},
		{` `, `flaw: JSON, byte 1: expected an object, but the value ends`},
		{"\xef\xbb\xbf{}", `flaw: JSON, byte 0: expected an object, found \u{feff}{}`},
		{`{`, `flaw: JSON, byte 1: expected a member's name, but the value ends`},
		{`{"n"`, `flaw: JSON, byte 4: expected ':', but the value ends`},
		{`{"n":`, `flaw: JSON, byte 5: expected a value, but the value ends`},
		{`{"n":1`, `flaw: JSON, byte 6: expected ',' or '}', but the value ends`},
		{`{"n":1,`, `flaw: JSON, byte 7: expected a member's name, but the value ends`},
		{`{"n":1,}`, `flaw: JSON, byte 7: expected a member's name, found }`},
		{`{"n" 1}`, `flaw: JSON, byte 5: expected ':', found 1}`},
		{`{"n":}`, `flaw: JSON, byte 5: expected a value, found }`},
		{`{n:1}`, `flaw: JSON, byte 1: expected a member's name, found n:1}`},
		{`{"n":1 "b":true}`, `flaw: JSON, byte 7: expected ',' or '}', found "b":true}`},
		{`{"n":1]`, `flaw: JSON, byte 6: expected ',' or '}', found ]`},

		// Members: names, nulls, twice.
		{`{"n":null,"b":null,"t":null,"f":null,"at":null,"small":null}`, ``},
		{`{"n":nul}`, `flaw: JSON, byte 8: expected null, found }`},
		{`{"\u006e":1,"\u0073m\u0061ll":2}`, `n=1 small=2`},
		{`{"N":1,"nn":2,"":3,"n ":4}`, ``},
		{`{"n":1,"n":1}`, `flaw: column n: the member stands twice`},
		{`{"n":null,"\u006e":1}`, `flaw: column n: the member stands twice`},
		{`{"other":1,"other":2,"n":3}`, `n=3`},

		// What is skipped, and the syntax of it.
		{`{"x":{"a":[1,-2.5e+7,"\"}]",{"b":{}},[],null,true,false]},"n":1,"y":[[[]]]}`, `n=1`},
		{`{"x":{"n":5},"b":false}`, `b=false`},
		{`{"x":[1,]}`, `flaw: JSON, byte 8: expected a value, found ]}`},
		{`{"x":[1}`, `flaw: JSON, byte 7: expected ',' or ']', found }`},
		{`{"x":{"a"}}`, `flaw: JSON, byte 9: expected ':', found }}`},
		{`{"x":{1}}`, `flaw: JSON, byte 6: expected a member's name, found 1}}`},
		{`{"x":tru}`, `flaw: JSON, byte 8: expected true, found }`},
		{`{"x":fals`, `flaw: JSON, byte 9: expected false, but the value ends`},
		{`{"x":01}`, `flaw: JSON, byte 6: expected a number, found 1}`},
		{`{"x":-}`, `flaw: JSON, byte 6: expected a number, found }`},
		{`{"x":1.}`, `flaw: JSON, byte 7: expected a number, found }`},
		{`{"x":1e}`, `flaw: JSON, byte 7: expected a number, found }`},
		{`{"x":1e+}`, `flaw: JSON, byte 8: expected a number, found }`},
		{`{"x":.5}`, `flaw: JSON, byte 5: expected a value, found .5}`},
		{`{"x":+5}`, `flaw: JSON, byte 5: expected a value, found +5}`},
		{`{"x":NaN}`, `flaw: JSON, byte 5: expected a value, found NaN}`},
		{`{"x":"\ud800","n":1}`, `n=1`},
		{`{"\ud800":1,"n":1}`, `n=1`},
		{`{"x":"` + "\xff" + `"}`, `flaw: JSON, byte 6: expected UTF-8, found \xff"}`},
		{`{"` + "\xc0\x80" + `":1}`, `flaw: JSON, byte 2: expected UTF-8, found \xc0\x80":1}`},
		{`{"x":"` + "\n" + `"}`, `flaw: JSON, byte 6: expected no control character, found \u{a}"}`},
		{`{"x":"\x"}`, `flaw: JSON, byte 6: expected an escape, found \x"}`},
		{`{"x":"\u12g4"}`, `flaw: JSON, byte 6: expected an escape, found \u12g4"}`},
		{`{"x":"\`, `flaw: JSON, byte 6: expected an escape, found \`},
		{`{"x":"abc`, `flaw: JSON, byte 9: expected the end of the text, but the value ends`},

		// Bool.
		{`{"b":true}`, `b=true`},
		{`{"b":false}`, `b=false`},
		{`{"b":truth}`, `flaw: JSON, byte 8: expected true, found th}`},
		{`{"b":1}`, `flaw: column b: found 1, expected true or false`},
		{`{"b":"true"}`, `flaw: column b: found "true", expected true or false`},
		{`{"b":[true]}`, `flaw: column b: found [true], expected true or false`},

		// Int: whole numbers, exactly.
		{`{"n":12.0}`, `n=12`},
		{`{"n":1.2e1}`, `n=12`},
		{`{"n":1200E-2}`, `n=12`},
		{`{"n":-0}`, `n=0`},
		{`{"n":0e999999999999999999999}`, `n=0`},
		{`{"n":0.00e-999999999999999999999}`, `n=0`},
		{`{"n":9223372036854775807}`, `n=9223372036854775807`},
		{`{"n":-9223372036854775808}`, `n=-9223372036854775808`},
		{`{"n":9223372036854775807.000000000000000000}`, `n=9223372036854775807`},
		{`{"n":0.0000000000000000000000001e25}`, `n=1`},
		{`{"n":1000000000000000000000000000e-20}`, `n=10000000`},
		{`{"n":10010000000000000000000000000000e-28}`, `n=1001`},
		{`{"n":9223372036854775808}`, `flaw: column n: found 9223372036854775808, ` + wholeInt},
		{`{"n":-9223372036854775809}`, `flaw: column n: found -9223372036854775809, ` + wholeInt},
		{`{"n":18446744073709551616}`, `flaw: column n: found 18446744073709551616, ` + wholeInt},
		{`{"n":1e19}`, `flaw: column n: found 1e19, ` + wholeInt},
		{`{"n":1e99999999999999999999}`, `flaw: column n: found 1e99999999999999999999, ` + wholeInt},
		{
			`{"n":100000000000000000000000000000000000000000001}`,
			`flaw: column n: found 1000000000000000000000000000000000000000…, ` + wholeInt,
		},
		{`{"n":12.5}`, `flaw: column n: found 12.5, expected an integer`},
		{`{"n":1e-1}`, `flaw: column n: found 1e-1, expected an integer`},
		{`{"n":1e-99999999999999999999}`, `flaw: column n: found 1e-99999999999999999999, expected an integer`},
		{`{"n":1.00000000000000000000000001}`, `flaw: column n: found 1.00000000000000000000000001, expected an integer`},
		{`{"n":"12"}`, `flaw: column n: found "12", expected an integer`},
		{`{"n":true}`, `flaw: column n: found true, expected an integer`},
		{`{"n":{"a":1}}`, `flaw: column n: found {"a":1}, expected an integer`},
		{`{"n":{"a":1]}`, `flaw: JSON, byte 11: expected ',' or '}', found ]}`},
		{`{"small":2147483647}`, `small=2147483647`},
		{`{"small":-2147483648}`, `small=-2147483648`},
		{`{"small":2147483648}`, `flaw: column small: found 2147483648, expected an integer from -2147483648 to 2147483647`},

		// Float.
		{`{"f":0.1}`, `f=0.1`},
		{`{"f":-0}`, `f=-0`},
		{`{"f":3}`, `f=3`},
		{`{"f":9007199254740993}`, `f=9.007199254740992e+15`},
		{`{"f":1.7976931348623157e308}`, `f=1.7976931348623157e+308`},
		{`{"f":5e-324}`, `f=5e-324`},
		{`{"f":1e-400}`, `f=0`},
		{`{"f":1e400}`, `flaw: column f: found 1e400, expected a number that fits a double`},
		{`{"f":-1e400}`, `flaw: column f: found -1e400, expected a number that fits a double`},
		{`{"f":"NaN"}`, `f=NaN`},
		{`{"f":"Infinity"}`, `f=+Inf`},
		{`{"f":"-Infinity"}`, `f=-Inf`},
		{`{"f":"\u004eaN"}`, `f=NaN`},
		{`{"f":"nan"}`, `flaw: column f: found "nan", expected a number`},
		{`{"f":"12"}`, `flaw: column f: found "12", expected a number`},
		{`{"f":true}`, `flaw: column f: found true, expected a number`},
		{`{"f":1.5.2}`, `flaw: JSON, byte 8: expected ',' or '}', found .2}`},

		// Text.
		{`{"t":""}`, `t=""`},
		{`{"t":"Zürich 🎉"}`, `t="Zürich 🎉"`},
		{`{"t":"\"\\\/\b\f\n\r\t\u0041\u00e4\u20AC\ud83c\uDF89\u0000"}`, `t="\"\\/\b\f\n\r\tAä€🎉\x00"`},
		{`{"t":"` + "\x7f" + `"}`, `t="\x7f"`},
		{`{"t":"\ufffd"}`, `t="�"`},
		{`{"t":"\ud800"}`, `flaw: column t: found "\ud800", expected a text without half a surrogate pair`},
		{`{"t":"\udf89\ud83c"}`, `flaw: column t: found "\udf89\ud83c", expected a text without half a surrogate pair`},
		{`{"t":"\ud83cx"}`, `flaw: column t: found "\ud83cx", expected a text without half a surrogate pair`},
		{`{"t":"\ud83c\u0041"}`, `flaw: column t: found "\ud83c\u0041", expected a text without half a surrogate pair`},
		{`{"t":"` + "\xed\xa0\x80" + `"}`, `flaw: JSON, byte 6: expected UTF-8, found \xed\xa0\x80"}`},
		{`{"t":12}`, `flaw: column t: found 12, expected a text`},
		{`{"t":false}`, `flaw: column t: found false, expected a text`},
		{`{"t":[["äöüäöüäöüäöüäöüäöüäöü"]]}`, `flaw: column t: found [["äöüäöüäöüäöüäöüäöü…, expected a text`},

		// Time.
		{`{"at":"2026-01-02T03:04:05Z"}`, `at=1767323045000000`},
		{`{"at":"2026-01-02T03:04:05.1234567+01:30"}`, `at=1767317645123456`},
		{`{"at":"\u0032026-01-02T03:04:05Z"}`, `at=1767323045000000`},
		{`{"at":1767323045000000}`, `at=1767323045000000`},
		{`{"at":-1.5e1}`, `at=-15`},
		{`{"at":1.5}`, `flaw: column at: found 1.5, expected an RFC 3339 time or whole microseconds since 1970`},
		{
			`{"at":253402300800000000}`,
			`flaw: column at: found 253402300800000000, expected an integer from -62167219200000000 to 253402300799999999`,
		},
		{`{"at":"2026-01-02"}`, `flaw: column at: found "2026-01-02", expected an RFC 3339 time or whole microseconds since 1970`},
		{
			`{"at":"1767323045000000"}`,
			`flaw: column at: found "1767323045000000", expected an RFC 3339 time or whole microseconds since 1970`,
		},
		{`{"at":true}`, `flaw: column at: found true, expected an RFC 3339 time or whole microseconds since 1970`},
	} {
		b := mustBuilder(t, &sample{}, JSON())
		if got := decodeOne(t, b, []byte(c.value)); got != c.want {
			t.Errorf("%s\n got %s\nwant %s", c.value, got, c.want)
		}
	}
}

const wholeInt = `expected an integer from -9223372036854775808 to 9223372036854775807`

func TestJSONNesting(t *testing.T) {
	b := mustBuilder(t, &sample{}, JSON())
	for _, c := range []struct {
		depth int // of the member, so that the object makes it one more
		ok    bool
	}{{maxDepth - 1, true}, {maxDepth, false}, {1_000_000, false}} {
		for _, brackets := range []string{"[]", "{}"} {
			opening := brackets[:1]
			if opening == "{" {
				opening = `{"a":`
			}
			value := `{"x":` + strings.Repeat(opening, c.depth-1) + brackets + strings.Repeat(brackets[1:], c.depth-1) + `}`
			got := decodeOne(t, b, []byte(value))
			if ok := got == ""; ok != c.ok {
				t.Errorf("depth %d of %s: %s", c.depth, brackets, got)
			}
		}
	}
}

// TestPlain puts every byte at every place of texts of several lengths.
func TestPlain(t *testing.T) {
	for length := range 20 {
		for at := range length {
			for b := range 256 {
				for _, around := range []byte{'a', '!', '#', '[', 0x7f, 0x00, 0xff} {
					v := []byte(strings.Repeat("a", at) + string([]byte{byte(b)}))
					for len(v) < length {
						v = append(v, around)
					}
					want := 0
					for want < len(v) && v[want] >= ' ' && v[want] < 0x80 && v[want] != '"' && v[want] != '\\' {
						want++
					}
					if got := plain(v, 0); got != want {
						t.Fatalf("%q is plain up to %d, want %d", v, got, want)
					}
				}
			}
		}
	}
}

// TestJSONColumnNames looks up many names that differ in all the ways in which names do.
func TestJSONColumnNames(t *testing.T) {
	fields := mustSchema(t, &struct {
		A  int64 `spill:"aa_1_zz"`
		B  int64 `spill:"aa_2_zz"`
		C  int64 `spill:"aa_3_zz"`
		D  int64 `spill:"a"`
		E  int64 `spill:"b"`
		F  int64 `spill:"an_extraordinarily_long_name_of_a_column_that_goes_on_and_on_and_on_and_on"`
		G  int64 `spill:"z"`
		H  int64 `spill:"aa"`
		I  int64 `spill:"aaa"`
		J  int64 `spill:"aba"`
		K0 int64 `spill:"0"`
	}{}).Fields
	n := newNames(fields)
	for i, f := range fields {
		if got := n.find([]byte(f.Name)); got != i {
			t.Errorf("%s is column %d, want %d", f.Name, got, i)
		}
		for _, other := range []string{f.Name + "x", f.Name[1:], "x" + f.Name[1:] + "y"} {
			if got := n.find([]byte(other)); got >= 0 && fields[got].Name != other {
				t.Errorf("%q is column %s", other, fields[got].Name)
			}
		}
	}
}

// TestNumbersAgreeWithStrconv compares both paths of integer and float with those of the standard library.
func TestNumbersAgreeWithStrconv(t *testing.T) {
	rng := rand.New(rand.NewPCG(3, 4))
	for range 200_000 {
		text := randomNumber(rng)
		n, end, ok := scanNumber([]byte(text), 0)
		if !ok || end != len(text) {
			t.Fatalf("%s is read up to %d, %v", text, end, ok)
		}
		want, err := strconv.ParseFloat(text, 64)
		got, fits := n.float([]byte(text))
		if fits != (err == nil) || fits && math.Float64bits(got) != math.Float64bits(want) {
			t.Fatalf("%s is %v, %v, want %v, %v", text, got, fits, want, err)
		}
		if i, err := strconv.ParseInt(text, 10, 64); err == nil {
			if got, whole, fits := n.integer([]byte(text)); got != i || !whole || !fits {
				t.Fatalf("%s is %d, %v, %v", text, got, whole, fits)
			}
		}
	}
}

func randomNumber(rng *rand.Rand) string {
	var b strings.Builder
	if rng.IntN(2) == 0 {
		b.WriteByte('-')
	}
	digits := func(n int) {
		for range n {
			b.WriteByte('0' + byte(rng.IntN(10)))
		}
	}
	if rng.IntN(4) == 0 {
		b.WriteByte('0')
	} else {
		b.WriteByte('1' + byte(rng.IntN(9)))
		digits(rng.IntN(22))
	}
	if rng.IntN(2) == 0 {
		b.WriteByte('.')
		digits(1 + rng.IntN(24))
	}
	if rng.IntN(2) == 0 {
		b.WriteString([]string{"e", "E+", "e-"}[rng.IntN(3)])
		digits(1 + rng.IntN(3))
	}
	return b.String()
}
