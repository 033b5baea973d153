package real

import (
	"os"
	"slices"
	"testing"
)

func TestMainGivesTheCode(t *testing.T) {
	for name, test := range map[string]struct {
		run  func(TB) int
		want int
	}{
		"run passes":            {func(TB) int { return 0 }, 0},
		"run fails":             {func(TB) int { return 3 }, 3},
		"a component fails":     {func(tb TB) int { tb.Fatalf("no broker"); return 0 }, 1},
		"a component is absent": {func(tb TB) int { tb.Skipf("no browser"); return 3 }, 0},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Main(test.run); got != test.want {
				t.Errorf("code %d, want %d", got, test.want)
			}
		})
	}
}

func TestMainCleansUpInReverse(t *testing.T) {
	var order []string
	var dir string
	Main(func(tb TB) int {
		dir = tb.TempDir()
		tb.Cleanup(func() {
			order = append(order, "first")
			if _, err := os.Stat(dir); err != nil {
				t.Errorf("the folder went before its server: %v", err)
			}
		})
		tb.Cleanup(func() { order = append(order, "second") })
		tb.Fatalf("cleanups run after this too")
		return 0
	})
	if want := []string{"second", "first"}; !slices.Equal(order, want) {
		t.Errorf("cleanups ran %v, want %v", order, want)
	}
	if _, err := os.Stat(dir); !os.IsNotExist(err) {
		t.Errorf("the temporary folder is still there: %v", err)
	}
}
