//go:build integration

package integration

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/spillway-go/spillway/integration/real"
)

var (
	kafka    *real.Kafka
	binaries string // the folder of the examples' programs
)

func TestMain(m *testing.M) {
	os.Exit(real.Main(func(tb real.TB) int {
		binaries = tb.TempDir()
		for _, example := range []string{"glucose", "fraud"} {
			cmd := exec.Command("go", "build", "-o", filepath.Join(binaries, example), "../examples/"+example)
			if out, err := cmd.CombinedOutput(); err != nil {
				tb.Fatalf("%v\n%s", err, out)
			}
		}
		kafka = real.StartKafka(tb)
		return m.Run()
	}))
}
