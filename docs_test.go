package spillway

import (
	"fmt"
	"os"
	"reflect"
	"strings"
	"testing"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/spillway-go/spillway/pipeline"
)

// row is the line of a Markdown table that begins with the cell, or "".
func row(text, cell string) string {
	for line := range strings.Lines(text) {
		if strings.HasPrefix(line, "| "+cell+" |") {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

func operating(t *testing.T) string {
	t.Helper()
	text, err := os.ReadFile("docs/operating.md")
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// TestEveryKeyIsDocumented wants each configuration key with its flag, its variable and its default.
func TestEveryKeyIsDocumented(t *testing.T) {
	text := operating(t)
	d := reflect.ValueOf(defaults())
	for i, key := range configKeys() {
		want := []string{"`--" + flagName(key) + "`", "`" + envPrefix + strings.ToUpper(key) + "`"}
		if v := d.Field(i); !v.IsZero() {
			want = append(want, fmt.Sprintf("| `%v` |", v.Interface()))
		}
		line := row(text, "`"+key+"`")
		for _, part := range want {
			if !strings.Contains(line, part) {
				t.Errorf("docs/operating.md: the row of key %s does not have %s: %q", key, part, line)
			}
		}
	}
}

// TestEveryCommandIsDocumented wants each command, as its own help writes it, and each of its flags.
func TestEveryCommandIsDocumented(t *testing.T) {
	text := operating(t)
	root := (&App{Pipelines: []*pipeline.Pipeline{}}).command()
	_, flags, _ := strings.Cut(text, "| flag of |")
	for _, c := range root.Commands() {
		usage, _, _ := strings.Cut(c.Use, " --")
		if row(text, "`"+usage+"`") == "" {
			t.Errorf("docs/operating.md: no row begins with `%s`", usage)
		}
		section := flagsOf(flags, c)
		c.LocalNonPersistentFlags().VisitAll(func(f *pflag.Flag) {
			if !strings.Contains(section, "`--"+f.Name+"`") {
				t.Errorf("docs/operating.md: nothing of the flag --%s of %s", f.Name, c.Name())
			}
		})
	}
}

// flagsOf is the part of the table of flags that is about the command: from the row that names it to the next that names
// another.
func flagsOf(table string, c *cobra.Command) string {
	var part strings.Builder
	within := false
	for line := range strings.Lines(table) {
		if !strings.HasPrefix(line, "| |") {
			first, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " |")
			within = strings.Contains(first, "`"+c.Name()+"`")
		}
		if within {
			part.WriteString(line)
		}
	}
	return part.String()
}
