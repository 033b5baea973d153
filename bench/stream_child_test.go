package bench

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"runtime/pprof"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/bench/payments"
	"github.com/spillway-go/spillway/bench/payments/topic"
	"github.com/spillway-go/spillway/pipeline"
	"github.com/spillway-go/spillway/streaming"
)

// childEnv makes the test binary another process: the stream, whose CPU is measured, or a broker in its place, whose CPU
// is not. A child ends with its standard input, and so never outlives its parent.
const childEnv = "SPILLWAY_BENCH_CHILD"

func TestMain(m *testing.M) {
	var err error
	switch role := strings.Fields(os.Getenv(childEnv)); {
	case len(role) == 0:
		os.Exit(m.Run())
	case role[0] == "broker":
		err = beBroker()
	case role[0] == "stream":
		err = beStream()
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func untilParentHasGone() { os.Stdin.Read(make([]byte, 1)) }

// beBroker runs the embedded broker, without persistence.
func beBroker() error {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		return err
	}
	fmt.Println(cluster.ListenAddrs()[0])
	untilParentHasGone()
	return nil
}

// order is what a stream process is told.
type order struct {
	Pipeline    string
	Broker      string
	Topic       string
	UntilEnd    bool
	CommitEvery time.Duration
	Profile     string // the file of its CPU profile, or ""
}

// definitions are the workload's streams by name.
var definitions = map[string]*pipeline.Pipeline{"y1_rolling": payments.Y1, "y2_tumble": payments.Y2}

// beStream runs the ordered stream until its end or SIGTERM, and prints its status.
func beStream() error {
	var o order
	if err := json.Unmarshal([]byte(strings.TrimPrefix(os.Getenv(childEnv), "stream ")), &o); err != nil {
		return err
	}
	plan, err := definitions[o.Pipeline].Plan()
	if err != nil {
		return err
	}
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	go func() {
		untilParentHasGone()
		stop()
	}()
	if o.Profile != "" {
		f, err := os.Create(o.Profile)
		if err != nil {
			return err
		}
		defer f.Close()
		if err := pprof.StartCPUProfile(f); err != nil {
			return err
		}
		defer pprof.StopCPUProfile()
	}
	cfg := streaming.Config{
		Source: streaming.Source{
			Plan: plan, Format: topic.Format(), Topic: o.Topic, UntilEnd: o.UntilEnd, Monitor: &streaming.Monitor{},
			Client: []kgo.Opt{kgo.SeedBrokers(o.Broker)},
		},
		CommitEvery: o.CommitEvery,
	}
	if err := streaming.Run(ctx, cfg); err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(cfg.Monitor.Status())
}

// child starts the test binary in a role, and gives what it prints.
func child(b *testing.B, role string) (*exec.Cmd, *bufio.Reader) {
	b.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+role)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	return cmd, bufio.NewReader(out)
}

// start starts a stream process.
func (o order) start(b *testing.B) (*exec.Cmd, *bufio.Reader) {
	b.Helper()
	text, err := json.Marshal(o)
	if err != nil {
		b.Fatal(err)
	}
	return child(b, "stream "+string(text))
}

// usage is what a stream process did and took.
type usage struct {
	streaming.Status
	cpu, wall time.Duration
	memory    int64 // bytes, at most
}

// run runs a stream process to its end.
func (o order) run(b *testing.B) usage {
	b.Helper()
	began := time.Now()
	cmd, out := o.start(b)
	var u usage
	err := json.NewDecoder(out).Decode(&u.Status)
	if err := errors.Join(err, cmd.Wait()); err != nil {
		b.Fatal(err)
	}
	u.wall = time.Since(began)
	u.cpu = cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	if r, ok := cmd.ProcessState.SysUsage().(*syscall.Rusage); ok {
		u.memory = r.Maxrss << 10
	}
	return u
}
