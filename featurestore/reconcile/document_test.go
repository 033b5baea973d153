package reconcile

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// TestDocument holds docs/report.md to the JSON that is written: each member of the golden reports is in it.
func TestDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/report.md")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range []string{"testdata/agrees.json", "testdata/breaks.json"} {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		var report map[string]any
		if err := json.Unmarshal(b, &report); err != nil {
			t.Fatal(err)
		}
		for name := range members("", report) {
			name = strings.Replace(name, "examples.explaining.", "examples.timeline.events.", 1)
			if !strings.Contains(string(text), "`"+name+"`") {
				t.Errorf("docs/report.md does not say what %s is", name)
			}
		}
	}
}

// members are the paths of all members that hold no others.
func members(path string, v any) map[string]bool {
	found := map[string]bool{}
	add := func(path string, v any) {
		for name := range members(path, v) {
			found[name] = true
		}
	}
	switch v := v.(type) {
	case map[string]any:
		for name, inner := range v {
			add(strings.TrimPrefix(path+"."+name, "."), inner)
		}
	case []any:
		for _, inner := range v {
			add(path, inner)
		}
		if len(v) == 0 {
			found[path] = false
		}
	default:
		found[path] = true
	}
	for name, leaf := range found {
		if !leaf {
			delete(found, name)
		}
	}
	return found
}
