package reconcile

import (
	"bytes"
	"encoding/json"
	"encoding/xml"
	"errors"
	"flag"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"

	"github.com/spillway-go/spillway/pipeline/schema"
)

var update = flag.Bool("update", false, "write the golden files anew")

func golden(t *testing.T, name string, got []byte) {
	t.Helper()
	path := filepath.Join("testdata", name)
	// The hash is another package's business.
	got = regexp.MustCompile(`(plan(?:_hash": ")? ?)[0-9a-f]{12,64}`).ReplaceAll(got, []byte("${1}HASH"))
	if *update {
		if err := errors.Join(os.MkdirAll("testdata", 0o755), os.WriteFile(path, got, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Errorf("%s: run with -update and look at the difference; got\n%s", path, got)
	}
}

func TestGolden(t *testing.T) {
	w := parse(t, payments)[0]
	agrees := w.run(t, Options{})
	w.stream.Columns[0].F[2] = 7
	breaks := w.run(t, Options{MaxKeys: 1, Examples: 1})
	for name, r := range map[string]*Report{"agrees": agrees, "breaks": breaks} {
		var b bytes.Buffer
		if err := r.WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".json", b.Bytes())
		b.Reset()
		if err := r.WriteText(&b, 100, false); err != nil {
			t.Fatal(err)
		}
		golden(t, name+".txt", b.Bytes())
	}
}

func TestText(t *testing.T) {
	r := parse(t, payments)[0].run(t, Options{})
	write := func(width int, color bool) string {
		var b bytes.Buffer
		if err := r.WriteText(&b, width, color); err != nil {
			t.Fatal(err)
		}
		return b.String()
	}
	t.Setenv("NO_COLOR", "")
	if !strings.Contains(write(0, true), "\x1b[1;32mAGREES\x1b[0m") {
		t.Error("no color where it is asked for")
	}
	t.Setenv("NO_COLOR", "1")
	if strings.Contains(write(0, true), "\x1b") {
		t.Error("color in spite of NO_COLOR")
	}
	for _, width := range []int{60, 80, 200} {
		for _, line := range strings.Split(write(width, false), "\n") {
			if utf8.RuneCountInString(line) > width {
				t.Errorf("a line of %d columns for a terminal of %d: %q", utf8.RuneCountInString(line), width, line)
			}
		}
	}
	if err := r.WriteText(broken{}, 80, false); !errors.Is(err, io.ErrShortWrite) {
		t.Errorf("a writer's error is lost: %v", err)
	}
}

type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, io.ErrShortWrite }

// The page may hold these elements and attributes, and no others: none of them loads or runs anything.
var (
	pageElements = strings.Fields("html head meta title style body main h1 h2 h3 b p div span ul li section dl dt dd table thead tbody tr th td " +
		"small i article header footer figure bdi svg text line rect g circle")
	pageAttributes = strings.Fields("lang charset name content http-equiv class style aria-hidden aria-label tabindex role scope title viewBox " +
		"x y x1 x2 y1 y2 cx cy r rx dx dy width height text-anchor data-as")
)

// checkPage reads the page as strictly as XML and returns how many elements it has of each name.
func checkPage(t *testing.T, page []byte) map[string]int {
	t.Helper()
	d := xml.NewDecoder(bytes.NewReader(page))
	d.Strict = true
	d.Entity = xml.HTMLEntity
	count := map[string]int{}
	var open []string
	for {
		tok, err := d.Token()
		if err == io.EOF {
			break
		}
		if err != nil {
			t.Fatalf("the page is not well-formed: %v", err)
		}
		switch tok := tok.(type) {
		case xml.StartElement:
			count[tok.Name.Local]++
			open = append(open, tok.Name.Local)
			if !slices.Contains(pageElements, tok.Name.Local) {
				t.Fatalf("the page has an element %q", tok.Name.Local)
			}
			for _, a := range tok.Attr {
				if !slices.Contains(pageAttributes, a.Name.Local) {
					t.Fatalf("the page has an attribute %s=%q", a.Name.Local, a.Value)
				}
				if a.Name.Local == "style" && strings.Trim(strings.TrimPrefix(a.Value, "width: "), "0123456789%") != "" {
					t.Fatalf("the page has a style %q", a.Value)
				}
			}
		case xml.EndElement:
			open = open[:len(open)-1]
		case xml.CharData:
			if len(open) > 0 && open[len(open)-1] == "style" && (bytes.Contains(tok, []byte("url(")) || bytes.Contains(tok, []byte("@import"))) {
				t.Fatal("the page's style loads something")
			}
		}
	}
	for _, want := range []string{"html", "head", "title", "main", "style"} {
		if count[want] == 0 {
			t.Errorf("the page has no %s", want)
		}
	}
	return count
}

func htmlOf(t *testing.T, r *Report) []byte {
	t.Helper()
	var b bytes.Buffer
	if err := r.WriteHTML(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

func TestHTML(t *testing.T) {
	w := glucoseWorld(t, append(persons(3), `<script>alert("x")</script>`, strings.Repeat("long ", 2000)+"end"), 500)
	r := w.run(t, Options{})
	html := htmlOf(t, r)
	count := checkPage(t, html)
	if count["svg"] != len(r.Examples) || count["article"] != len(r.Examples) || count["circle"] < 2*count["svg"] {
		t.Errorf("%d examples, but %v", len(r.Examples), count)
	}
	for _, want := range []string{
		r.Verdict.Sentence, "&lt;script&gt;", group(r.Identity.Agreed), percent(r.Lateness.Share), "long long end\"", "prefers-color-scheme: dark",
		"@media print", "max-width: 40rem", "Too late", "default-src &#39;none&#39;",
	} {
		if !bytes.Contains(html, []byte(want)) && !bytes.Contains(html, []byte(strings.ReplaceAll(want, "&#39;", "'"))) {
			t.Errorf("the page lacks %q", want)
		}
	}
	checkPage(t, htmlOf(t, &Report{Verdict: Verdict{Outcome: Trouble}}))
}

// hostileReport is a report that holds the text wherever data stands.
func hostileReport(s string) *Report {
	cause := Late
	event := Event{ID: s, Time: "1970-01-01T00:00:01Z", Arrival: "1970-01-01T00:00:03Z", Class: "late", Cause: &cause, Explaining: true}
	values := []FeatureValues{{Name: "a", Served: Value{kind: schema.Text, valid: true, s: s}, Other: Value{kind: schema.Text, valid: true, s: s}}}
	return &Report{
		Pipeline: "p", Snapshot: s, Verdict: Verdict{Outcome: Breaks, Sentence: s, Reasons: []string{s}},
		Identity:   Identity{Samples: []Broken{{Kind: "differing", Key: s, AskTime: "1970-01-01T00:00:01Z", Features: values}}},
		Lateness:   Lateness{Answers: 1, Differing: 1},
		Causes:     []CauseCount{{Cause: Late, Differences: 1, Alone: 1}},
		Features:   []FeatureCost{{Name: "a"}},
		WorstKeys:  []KeyCost{{Key: s, Answers: 1, Differences: 1, Examined: true, Causes: []Cause{Late}}},
		Accounting: []PartitionAccount{{Complaints: []string{s}}},
		Examples: []Example{{
			Key: s, AskTime: "1970-01-01T00:00:02Z", Served: "row", Truth: "row",
			Causes:   []Share{{Cause: Late, Role: Alone}, {Cause: TooLate, Role: Jointly, Undone: []Value{values[0].Served}}},
			Features: values, Reason: s, Explaining: []Event{event},
			Timeline: Timeline{Windows: []Window{{Features: []string{"a"}, Name: "last 1s", from: 1e6}}, Events: []Event{event}, ask: 2e6},
		}},
	}
}

// FuzzOutput puts a text wherever data stands: it may change no structure of the page, put nothing into the terminal that
// does not print, and must come out of the JSON as it went in.
func FuzzOutput(f *testing.F) {
	for _, s := range []string{
		"plain", "", "<script>alert(1)</script>", `" onmouseover="x`, "]]>", "<!--", "</style><img src=x>", "\x00\x1b[2J\x07", "\u202eright to left",
		"\xff\xfe", "&amp;{{.}}", "日本語 é e\u0301 \u200b", "a\nb\r\n\u2028c", strings.Repeat("k", 10_000), "javascript:alert(1)", "'; DROP",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		r := hostileReport(s)
		want, got := checkPage(t, htmlOf(t, hostileReport("plain"))), checkPage(t, htmlOf(t, r))
		for name, n := range want {
			if got[name] != n {
				t.Fatalf("%d elements %s instead of %d", got[name], name, n)
			}
		}
		var b bytes.Buffer
		if err := r.WriteText(&b, 100, false); err != nil {
			t.Fatal(err)
		}
		for _, c := range b.String() {
			if c != '\n' && !unicode.IsPrint(c) {
				t.Fatalf("the terminal is given %q", c)
			}
		}
		b.Reset()
		if err := r.WriteJSON(&b); err != nil {
			t.Fatal(err)
		}
		var back struct {
			Snapshot string `json:"snapshot"`
			Causes   []CauseCount
		}
		if err := json.Unmarshal(b.Bytes(), &back); err != nil || back.Snapshot != strings.ToValidUTF8(s, "\ufffd") && utf8.ValidString(s) {
			t.Fatalf("%q comes back as %q (%v)", s, back.Snapshot, err)
		}
		if back.Causes[0].Cause != Late {
			t.Fatal("the cause does not come back")
		}
	})
}
