// Package docs holds the documents to the code they speak of.
package docs

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/spillway-go/spillway/bench/payments"
	"github.com/spillway-go/spillway/examples/fraud/cards"
	"github.com/spillway-go/spillway/examples/glucose/control"
	"github.com/spillway-go/spillway/pipeline"
)

// documents are those whose code, links and quotations are held to the repository.
func documents(t *testing.T) []string {
	t.Helper()
	var all []string
	for _, pattern := range []string{"*.md", "adr/*.md", "../*.md", "../examples/*/README.md", "../examples/*/*/README.md"} {
		found, err := filepath.Glob(pattern)
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, found...)
	}
	if len(all) < 5 {
		t.Fatalf("only %v", all)
	}
	return all
}

func lines(t *testing.T, path string) []string {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return strings.Split(string(text), "\n")
}

// fence is a block of code in a document. A comment before it, <!-- verbatim PATH -->, says which file of the repository it
// is taken from.
type fence struct {
	document string
	line     int // of its first line of code
	language string
	from     string // the file, from the repository's root; "" when the block is not taken from one
	code     []string
}

var verbatim = regexp.MustCompile(`^<!-- verbatim (\S+) -->$`)

func fences(t *testing.T, document string) []fence {
	t.Helper()
	var all []fence
	from, open := "", false
	for i, line := range lines(t, document) {
		switch {
		case open && line == "```":
			open = false
		case open:
			last := &all[len(all)-1]
			last.code = append(last.code, line)
		case strings.HasPrefix(line, "```"):
			all = append(all, fence{document: document, line: i + 2, language: line[3:], from: from})
			from, open = "", true
		case verbatim.MatchString(line):
			from = verbatim.FindStringSubmatch(line)[1]
		case line != "":
			from = ""
		}
	}
	if open {
		t.Errorf("%s: a block of code is never closed", document)
	}
	return all
}

// Go code in a document is always taken from a file that is compiled and tested. So are quoted answers, messages and cases.
func TestCodeIsVerbatim(t *testing.T) {
	checked := 0
	for _, document := range documents(t) {
		for _, f := range fences(t, document) {
			place := fmt.Sprintf("%s:%d", f.document, f.line)
			switch {
			case f.from != "":
				checked++
				source := lines(t, filepath.Join("..", f.from))
				for _, part := range parts(f.code) {
					if !contains(trimmed(source), part) {
						t.Errorf("%s: this is not in %s:\n%s", place, f.from, strings.Join(part, "\n"))
					}
				}
			case f.language == "go":
				t.Errorf("%s: Go code that is not said to be taken from a file", place)
			}
		}
	}
	if checked < 10 {
		t.Errorf("only %d blocks are checked", checked)
	}
}

// parts splits a block at lines that stand for something left out: … alone, or in a comment.
func parts(code []string) [][]string {
	var all [][]string
	var part []string
	for _, line := range append(trimmed(code), "…") {
		if strings.TrimSpace(strings.TrimLeft(line, "/#")) != "…" {
			part = append(part, line)
			continue
		}
		if len(part) > 0 {
			all = append(all, part)
		}
		part = nil
	}
	return all
}

// trimmed is the lines without what surrounds them: indentation, and the // of a comment that holds output.
func trimmed(code []string) []string {
	var all []string
	for _, line := range code {
		line = strings.TrimSpace(line)
		if output, ok := strings.CutPrefix(line, "//"); ok {
			line = strings.TrimSpace(output)
		}
		if line != "" {
			all = append(all, line)
		}
	}
	return all
}

func contains(source, part []string) bool {
	for i := range source {
		if len(source)-i >= len(part) && slices.Equal(source[i:i+len(part)], part) {
			return true
		}
	}
	return false
}

var (
	link     = regexp.MustCompile(`\]\(([^)\s]+)\)`)
	codeSpan = regexp.MustCompile("`[^`]*`")
)

func TestLinksLeadSomewhere(t *testing.T) {
	for _, document := range documents(t) {
		for i, line := range lines(t, document) {
			for _, m := range link.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, ""), -1) {
				target, anchor, _ := strings.Cut(m[1], "#")
				if strings.Contains(target, "://") {
					continue
				}
				path := document
				if target != "" {
					path = filepath.Join(filepath.Dir(document), target)
				}
				if _, err := os.Stat(path); err != nil {
					t.Errorf("%s:%d: link to %s: %v", document, i+1, m[1], err)
				} else if anchor != "" && !slices.Contains(anchors(t, path), anchor) {
					t.Errorf("%s:%d: %s has no heading %s", document, i+1, path, anchor)
				}
			}
		}
	}
}

var notInAnchors = regexp.MustCompile(`[^\p{L}\p{N} _-]`)

// anchors are the headings of a document as links name them.
func anchors(t *testing.T, path string) []string {
	t.Helper()
	var all []string
	for _, line := range lines(t, path) {
		if strings.HasPrefix(line, "#") {
			name := strings.ToLower(strings.TrimSpace(strings.TrimLeft(line, "#")))
			all = append(all, strings.ReplaceAll(notInAnchors.ReplaceAllString(name, ""), " ", "-"))
		}
	}
	return all
}

// Every package is on the map of CONTRIBUTING.md, so that nobody has to find out alone what it is for.
func TestMapIsComplete(t *testing.T) {
	text := strings.Join(lines(t, "../CONTRIBUTING.md"), "\n")
	found := map[string]bool{}
	err := filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && path != ".." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
			return fs.SkipDir
		}
		if strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") {
			found[filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), "../"))] = true
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	delete(found, "..")
	if len(found) < 20 {
		t.Fatalf("only %v", found)
	}
	for pkg := range found {
		if !strings.Contains(text, "]("+pkg+")") {
			t.Errorf("package %s is not on the map", pkg)
		}
	}
}

var goFile = regexp.MustCompile("`([a-z0-9_/]+\\.go)`")

// The files that the map tells to read are there.
func TestMapNamesFiles(t *testing.T) {
	found := 0
	for i, line := range lines(t, "../CONTRIBUTING.md") {
		pkg := link.FindStringSubmatch(line)
		if !strings.HasPrefix(line, "| [") || pkg == nil {
			continue
		}
		for _, m := range goFile.FindAllStringSubmatch(line, -1) {
			found++
			if _, err := os.Stat(filepath.Join("..", pkg[1], m[1])); err != nil {
				t.Errorf("CONTRIBUTING.md:%d: %v", i+1, err)
			}
		}
	}
	if found < 20 {
		t.Errorf("only %d files are named", found)
	}
}

// Every target that a contributor may call is in CONTRIBUTING.md, and every one that it names is there.
func TestMakeTargets(t *testing.T) {
	named := map[string]bool{}
	for _, line := range lines(t, "../CONTRIBUTING.md") {
		if target, ok := strings.CutPrefix(line, "make "); ok {
			named[strings.Fields(target)[0]] = true
		}
	}
	for _, line := range lines(t, "../Makefile") {
		targets, ok := strings.CutPrefix(line, ".PHONY: ")
		for _, target := range strings.Fields(targets) {
			if ok && !named[target] {
				t.Errorf("CONTRIBUTING.md does not say what make %s does", target)
			}
			delete(named, target)
		}
	}
	for target := range named {
		t.Errorf("CONTRIBUTING.md names make %s, which is no target", target)
	}
}

// mistake is the first cell of a table's row: a statement that does not compile.
var mistake = regexp.MustCompile("^\\| `([^`]+)` \\|")

func TestMistakesThatDoNotCompileAreTested(t *testing.T) {
	tested := strings.Join(lines(t, "../pipeline/compile_test.go"), "\n")
	found, within := 0, false
	for i, line := range lines(t, "writing-a-pipeline.md") {
		if strings.HasPrefix(line, "#") {
			within = strings.Contains(line, "compiler")
		}
		if m := mistake.FindStringSubmatch(line); m != nil && within {
			found++
			if !strings.Contains(tested, "`"+m[1]+"`") {
				t.Errorf("writing-a-pipeline.md:%d: no test says that this does not compile: %s", i+1, m[1])
			}
		}
	}
	if found == 0 {
		t.Error("no such mistake is found")
	}
}

// The definitions that the repository ships have the hashes of package pipeline's examples, which a golden file keeps.
func TestShippedDefinitionsAreThoseOfTheExamples(t *testing.T) {
	known := map[string]string{}
	for _, line := range lines(t, "../pipeline/testdata/hashes.golden") {
		if hash, name, ok := strings.Cut(line, " "); ok {
			known[name] = hash
		}
	}
	for _, p := range []*pipeline.Pipeline{cards.CardActivity, control.Glucose} {
		plan, err := p.Plan()
		if err != nil {
			t.Fatal(err)
		}
		if known[plan.Name] != plan.Hash() {
			t.Errorf("%s has another plan than its example:\n%s", plan.Name, plan.Text())
		}
	}
}

// Those that have no twin among the examples are kept here.
func TestHashesOfTheOtherDefinitions(t *testing.T) {
	for want, p := range map[string]*pipeline.Pipeline{
		"736a3f1285de619f6c7885c97803d7e8fed5af48e55bf8cad4b8eb07da41843d": cards.CardMinutes,
		"9e5fb9021d0a7ce39829a6785f0bb26cebfb251c74f57be02aea8b978c4d09ad": payments.Activity,
		"f9e9f3099e41d80d8c972b36fa84200a0d0b0eca6dcf175d92ea55cd82a693b4": payments.Y1,
		"7963d56ef7120d863b6b307f6208c1e4f68edd13fbb23d39680f202f6d66bca9": payments.Y2,
		"8160da98cc43c82c5ef935ef69ebc444d624da5642d5217f764ed27265554423": payments.Y3,
	} {
		plan, err := p.Plan()
		if err != nil {
			t.Fatal(err)
		}
		if plan.Hash() != want {
			t.Errorf("%s has the hash %s and the plan\n%s", plan.Name, plan.Hash(), plan.Text())
		}
	}
}
