package laws

import (
	"go/parser"
	"go/token"
	"io/fs"
	"path"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const (
	module = "github.com/spillway-go/spillway"
	root   = "../.."
)

// mayImport says which of spillway's packages each may import; /... is a package and all below it, and . is the root
// package. The longest entry that a package falls under is its law. Every package may import itself and what its law names,
// and internal/fault.
var mayImport = map[string][]string{
	"pipeline/schema":       {},
	"pipeline/window":       {},
	"pipeline/expr":         {"pipeline/schema"},
	"pipeline/agg":          {"pipeline/schema", "pipeline/expr"},
	"pipeline":              {"pipeline/schema", "pipeline/expr", "pipeline/agg", "pipeline/window"},
	"pipeline/kernel":       {"pipeline", "pipeline/schema", "pipeline/expr", "pipeline/agg", "pipeline/window", "pipeline/kernel/exact"},
	"pipeline/kernel/exact": {},
	"pipeline/pipelinetest": {
		"pipeline", "pipeline/schema", "pipeline/expr", "pipeline/agg", "pipeline/window", "pipeline/pipelinetest/...",
	},
	"lakehouse":    {"pipeline/...", "lakehouse/..."},
	"streaming":    {"pipeline/...", "streaming/..."},
	"batch":        {"pipeline/...", "batch/...", "lakehouse/..."},
	"featurestore": {"pipeline/...", "featurestore/..."},
	".":            {"pipeline/...", "streaming/...", "lakehouse/...", "batch/...", "featurestore/..."},
	"examples":     {".", "pipeline/...", "examples/..."},
	"bench": {
		".", "pipeline/...", "streaming/...", "lakehouse/...", "batch/...", "featurestore/...", "bench/...",
		"integration/real",
	},
	"integration": {
		".", "pipeline/...", "streaming/...", "lakehouse/...", "batch/...", "featurestore/...", "examples/...", "bench/...",
		"integration/...",
	},
	"internal": {},
	"docs":     {"pipeline/...", "examples/...", "bench/..."},
}

// engines are libraries that only some rooms know. Tests may use them to look at what a room did.
var engines = map[string][]string{
	"github.com/twmb/franz-go":        {"streaming", "integration", "bench", "."},
	"github.com/apache/iceberg-go":    {"lakehouse"},
	"github.com/duckdb":               {"batch"},
	"github.com/cockroachdb/pebble":   {"featurestore"},
	"github.com/confluentinc":         {},
	"github.com/marcboeker/go-duckdb": {},
}

// file is a Go file with what it imports.
type file struct {
	path    string // from the root
	pkg     string // the folder, from the root
	main    bool   // it is of a program
	test    bool
	imports []string
}

func (f *file) ours(path string) (pkg string, ok bool) {
	if path == module {
		return ".", true
	}
	return strings.CutPrefix(path, module+"/")
}

// files are all Go files of the module and of the modules within it, whatever their build tags.
func files(t *testing.T) []file {
	t.Helper()
	var all []file
	err := filepath.WalkDir(root, func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		rel, err := filepath.Rel(root, name)
		if err != nil {
			return err
		}
		rel = filepath.ToSlash(rel)
		if d.IsDir() {
			if rel != "." && (strings.HasPrefix(d.Name(), ".") || d.Name() == "testdata") {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(rel, ".go") {
			return nil
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), name, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		f := file{path: rel, pkg: path.Dir(rel), main: parsed.Name.Name == "main", test: strings.HasSuffix(rel, "_test.go")}
		for _, i := range parsed.Imports {
			p, err := strconv.Unquote(i.Path.Value)
			if err != nil {
				return err
			}
			f.imports = append(f.imports, p)
		}
		all = append(all, f)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if len(all) < 100 {
		t.Fatalf("only %d files: not all of spillway is looked at", len(all))
	}
	return all
}

// law is the longest entry of the table that the package falls under.
func law[V any](table map[string]V, pkg string) (entry string, ok bool) {
	for p := pkg; ; p = path.Dir(p) {
		if _, ok := table[p]; ok && (p != "." || pkg == ".") {
			return p, true
		}
		if p == "." {
			return "", false
		}
	}
}

func under(pkg, pattern string) bool {
	if below, ok := strings.CutSuffix(pattern, "/..."); ok {
		return pkg == below || strings.HasPrefix(pkg, below+"/")
	}
	return pkg == pattern
}

func TestImportsOfOurOwn(t *testing.T) {
	for _, f := range files(t) {
		entry, ok := law(mayImport, f.pkg)
		if !ok {
			t.Errorf("%s: package %s has no law; give it one in mayImport", f.path, f.pkg)
			continue
		}
		for _, p := range f.imports {
			pkg, ok := f.ours(p)
			if !ok || pkg == f.pkg || pkg == "internal/fault" || f.test && testsMayImport(f.pkg, pkg) {
				continue
			}
			if !slices.ContainsFunc(mayImport[entry], func(pattern string) bool { return under(pkg, pattern) }) {
				t.Errorf("%s imports %s, which %s may not", f.path, pkg, entry)
			}
		}
	}
}

// testsMayImport tells what else tests may import: in package pipeline and below all that is there, in the root package the
// examples' definitions, and everywhere the workload of the benchmarks, which is a definition and made-up events.
func testsMayImport(from, pkg string) bool {
	return under(from, "pipeline/...") && under(pkg, "pipeline/...") ||
		from == "." && under(pkg, "examples/...") || under(pkg, "bench/payments/...")
}

func TestPackagesForTestsAreForTests(t *testing.T) {
	forTests := func(pkg string) bool {
		return slices.ContainsFunc(strings.Split(pkg, "/"), func(elem string) bool { return strings.HasSuffix(elem, "test") }) ||
			under(pkg, "integration/...")
	}
	for _, f := range files(t) {
		if f.test || forTests(f.pkg) {
			continue
		}
		for _, p := range f.imports {
			if pkg, ok := f.ours(p); ok && forTests(pkg) || p == "testing" {
				t.Errorf("%s is no test, and imports %s", f.path, p)
			}
		}
	}
}

func TestDefinitionsKnowNoEngine(t *testing.T) {
	found := 0
	for _, f := range files(t) {
		if f.test || !under(f.pkg, "examples/...") && !under(f.pkg, "bench/...") || !slices.Contains(f.imports, module+"/pipeline/agg") {
			continue
		}
		found++
		for _, p := range f.imports {
			// A program may be one file: a definition and the main that runs it.
			if pkg, ok := f.ours(p); ok && !under(pkg, "pipeline/...") && !(f.main && pkg == ".") {
				t.Errorf("%s defines a pipeline and imports %s", f.path, pkg)
			}
		}
	}
	if found == 0 {
		t.Error("no definition is found")
	}
}

func TestPipelineImportsArrowOnly(t *testing.T) {
	for _, f := range files(t) {
		if !under(f.pkg, "pipeline/...") {
			continue
		}
		for _, p := range f.imports {
			_, ours := f.ours(p)
			if !ours && !standard(p) && !strings.HasPrefix(p, "github.com/apache/arrow-go/") {
				t.Errorf("%s imports %s", f.path, p)
			}
		}
	}
}

func TestEnginesStayInTheirRooms(t *testing.T) {
	for _, f := range files(t) {
		if f.test {
			continue
		}
		for _, p := range f.imports {
			for library, rooms := range engines {
				if p != library && !strings.HasPrefix(p, library+"/") && !strings.HasPrefix(p, library+"-") {
					continue
				}
				if !slices.ContainsFunc(rooms, func(room string) bool { return f.pkg == room || room != "." && under(f.pkg, room+"/...") }) {
					t.Errorf("%s imports %s, which is for %v", f.path, p, rooms)
				}
			}
		}
	}
}

func TestNoNameSaysNothing(t *testing.T) {
	nothing := []string{"util", "utils", "common", "helper", "helpers", "type", "types", "misc"}
	for _, f := range files(t) {
		name := strings.TrimSuffix(strings.TrimSuffix(path.Base(f.path), ".go"), "_test")
		if slices.Contains(nothing, name) {
			t.Errorf("%s: its name does not say what is in it", f.path)
		}
		for _, elem := range strings.Split(f.pkg, "/") {
			if slices.Contains(nothing, elem) {
				t.Errorf("%s: package %s does not say what it is", f.path, f.pkg)
			}
		}
	}
}

// standard tells whether a package is of Go's own library: those have no dot in their first element.
func standard(p string) bool {
	first, _, _ := strings.Cut(p, "/")
	return !strings.Contains(first, ".")
}
