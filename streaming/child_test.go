package streaming_test

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/bench/payments"
	"github.com/spillway-go/spillway/bench/payments/topic"
	"github.com/spillway-go/spillway/streaming"
)

// The environment by which the test binary runs as something else: a broker, so that its CPU is not counted as the
// stream's, or a stream, so that it can be killed.
const (
	childEnv    = "SPILLWAY_TEST_CHILD"
	childBroker = "broker"
	childStream = "stream "
)

func TestMain(m *testing.M) {
	role := os.Getenv(childEnv)
	switch {
	case role == childBroker:
		exit(beBroker())
	case strings.HasPrefix(role, childStream):
		exit(beStream(strings.Fields(role)[1:]))
	}
	os.Exit(m.Run())
}

func exit(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// beBroker runs a broker until the parent has gone.
func beBroker() error {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.GroupMinSessionTimeout(100*time.Millisecond))
	if err != nil {
		return err
	}
	fmt.Println(cluster.ListenAddrs()[0])
	untilParentHasGone()
	return nil
}

func untilParentHasGone() { os.Stdin.Read(make([]byte, 1)) }

// killable is the configuration of a stream that is killed: it is back soon.
func killable(addr, source string) (streaming.Config, error) {
	plan, err := payments.Y1.Plan()
	return streaming.Config{
		Source: streaming.Source{
			Plan: plan, Format: topic.Format(), Topic: source, FetchBytes: 16 << 10, Monitor: &streaming.Monitor{},
			Client: []kgo.Opt{kgo.SeedBrokers(addr)},
		},
		CommitEvery:        5 * time.Millisecond,
		SessionTimeout:     time.Second,
		TransactionTimeout: time.Second,
	}, err
}

// beStream runs a stream until it is killed. It never outlives its parent.
func beStream(args []string) error {
	go func() {
		untilParentHasGone()
		os.Exit(0)
	}()
	cfg, err := killable(args[0], args[1])
	if err != nil {
		return err
	}
	if len(args) > 2 {
		cfg.Instance = args[2]
	}
	return streaming.Run(context.Background(), cfg)
}

// child starts the test binary in a role. It ends with the test at the latest.
func child(t testing.TB, role string) (*exec.Cmd, string) {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), childEnv+"="+role)
	cmd.Stderr = os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		in.Close()
		cmd.Wait()
	})
	if role != childBroker {
		return cmd, ""
	}
	line := make([]byte, 64)
	n, err := out.Read(line)
	if err != nil {
		t.Fatal(err)
	}
	return cmd, strings.TrimSpace(string(line[:n]))
}

// broker is the address of a broker in another process.
func broker(t testing.TB) string {
	t.Helper()
	if *brokerFlag != "" {
		return *brokerFlag
	}
	_, addr := child(t, childBroker)
	return addr
}
