package real

import (
	"context"
	"crypto/rand"
	_ "embed"
	"encoding/base64"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kgo"
)

//go:embed kafka/log4j2.properties
var kafkaLogging []byte

// brokers counts the brokers of this test process, to tell their logs apart.
var brokers atomic.Int64

// Kafka is one Apache Kafka broker that is its own controller. Its data survives Kill, Stop and Restart, and goes when
// the test that started it ends.
type Kafka struct {
	java    string // The command.
	jars    string // The class path.
	dir     string // The folder of configuration and data.
	port    int    // Where clients connect.
	cluster string // The cluster's id: only this broker answers with it.
	log     string // The file of its output, of all its starts.
	broker  *process
}

// StartKafka starts a broker and waits until it serves. It stops when the test ends. Each property, name=value, is a
// line of the broker's configuration that wins over one of kafkaProperties.
func StartKafka(tb TB, properties ...string) *Kafka {
	tb.Helper()
	ports, err := freePorts(2)
	if err != nil {
		tb.Fatalf("ports for Kafka: %v", err)
	}
	k := &Kafka{
		java:    javaCommand(),
		jars:    filepath.Join(installed(tb, "kafka", "libs"), "*"),
		dir:     tb.TempDir(),
		port:    ports[0],
		cluster: clusterID(),
		log:     logFile(tb, "kafka", brokers.Add(1)),
	}
	lines := append(kafkaProperties(k.dir, k.port, ports[1]), properties...)
	k.write(tb, k.config(), []byte(strings.Join(lines, "\n")+"\n"))
	k.write(tb, k.logging(), kafkaLogging)
	k.format(tb)
	tb.Cleanup(k.Stop)
	k.Restart(tb)
	return k
}

// kafkaProperties configures a combined node whose timeouts suit tests that kill their clients.
func kafkaProperties(dir string, port, controllerPort int) []string {
	return []string{
		"process.roles=broker,controller",
		"node.id=1",
		fmt.Sprintf("controller.quorum.voters=1@127.0.0.1:%d", controllerPort),
		fmt.Sprintf("listeners=PLAINTEXT://127.0.0.1:%d,CONTROLLER://127.0.0.1:%d", port, controllerPort),
		fmt.Sprintf("advertised.listeners=PLAINTEXT://127.0.0.1:%d", port),
		"listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT",
		"inter.broker.listener.name=PLAINTEXT",
		"controller.listener.names=CONTROLLER",
		"log.dirs=" + filepath.Join(dir, "data"),

		// One broker cannot hold three replicas; fewer partitions make it start and recover sooner.
		"offsets.topic.replication.factor=1",
		"offsets.topic.num.partitions=4",
		"transaction.state.log.replication.factor=1",
		"transaction.state.log.min.isr=1",
		"transaction.state.log.num.partitions=4",
		"share.coordinator.state.topic.replication.factor=1",
		"share.coordinator.state.topic.min.isr=1",
		"share.coordinator.state.topic.num.partitions=4",

		// Records carry their event's time. With a retention, the broker would delete old events within seconds.
		"log.retention.ms=-1",
		// A misspelt topic is an error.
		"auto.create.topics.enable=false",

		// A member that was killed is missed as soon as the session that it asked for allows.
		"group.initial.rebalance.delay.ms=0",
		"group.min.session.timeout.ms=500",
		"group.consumer.min.session.timeout.ms=500",
		"group.consumer.min.heartbeat.interval.ms=100",

		// A killed broker may serve again when its own old session has run out, and a transaction that a killed client
		// left open is aborted at the first look after its timeout (9 s and 10 s by default). The look must be the
		// longer one: a restarted broker that aborts while its old session still runs, and then ends, takes the
		// transaction for aborted without writing the marker (seen with 4.3.1); readers wait for that for ever.
		"broker.session.timeout.ms=2000",
		"broker.heartbeat.interval.ms=500",
		"transaction.abort.timed.out.transaction.cleanup.interval.ms=3000",
	}
}

// Addr is the broker's host:port, the same after a restart.
func (k *Kafka) Addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(k.port)) }

// Kill ends the broker at once, as kill -9 does.
func (k *Kafka) Kill() { k.broker.kill() }

// Stop ends the broker in an orderly way. A broker that has ended stays so.
func (k *Kafka) Stop() {
	if k.broker != nil {
		k.broker.stop()
	}
}

// Restart starts the broker again, on the same data and the same address, and waits until it serves. One that has not
// ended is stopped first.
func (k *Kafka) Restart(tb TB) {
	tb.Helper()
	k.Stop()
	cmd := exec.Command(k.java, "-Xms256m", "-Xmx512m", "-XX:+UseG1GC", "-Djava.awt.headless=true",
		"-Dlog4j2.configurationFile="+k.logging(), "-cp", k.jars, "kafka.Kafka", k.config())
	began := time.Now()
	broker, err := launch(cmd, k.log)
	if err != nil {
		tb.Fatalf("start Kafka: %v", err)
	}
	k.broker = broker
	if err := broker.await(k.ready); err != nil {
		broker.kill()
		tb.Fatalf("start Kafka: %v; the end of %s:\n%s", err, k.log, tail(k.log))
	}
	tb.Logf("Kafka serves at %s after %.1f s, log %s", k.Addr(), time.Since(began).Seconds(), k.log)
}

// ready is nil once the broker that we started serves clients.
func (k *Kafka) ready() error {
	if !listens(k.broker.pid(), k.port) {
		return fmt.Errorf("process %d does not listen on port %d", k.broker.pid(), k.port)
	}
	client, err := kgo.NewClient(kgo.SeedBrokers(k.Addr()))
	if err != nil {
		return err
	}
	defer client.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	// Until the controller has let the broker in, the cluster has no members.
	cluster, err := kadm.NewClient(client).BrokerMetadata(ctx)
	switch {
	case err != nil:
		return err
	case cluster.Cluster != k.cluster:
		return fmt.Errorf("%s is cluster %q, not ours, %q", k.Addr(), cluster.Cluster, k.cluster)
	case len(cluster.Brokers) != 1:
		return fmt.Errorf("the cluster has %d brokers", len(cluster.Brokers))
	}
	return nil
}

// format prepares the data folder for a new cluster.
func (k *Kafka) format(tb TB) {
	tb.Helper()
	cmd := exec.Command(k.java, "-Xmx128m", "-XX:+UseSerialGC", "-XX:TieredStopAtLevel=1",
		"-Dlog4j2.configurationFile="+k.logging(), "-cp", k.jars,
		"kafka.tools.StorageTool", "format", "-t", k.cluster, "-c", k.config())
	if out, err := cmd.CombinedOutput(); err != nil {
		tb.Fatalf("format Kafka's data folder: %v\n%s", err, out)
	}
}

func (k *Kafka) config() string  { return filepath.Join(k.dir, "server.properties") }
func (k *Kafka) logging() string { return filepath.Join(k.dir, "log4j2.properties") }

func (k *Kafka) write(tb TB, path string, text []byte) {
	tb.Helper()
	if err := os.WriteFile(path, text, 0o644); err != nil {
		tb.Fatalf("%v", err)
	}
}

// clusterID is a new cluster id: 16 random bytes, as Kafka writes them. Kafka's tools take a leading dash for an option.
func clusterID() string {
	var id [16]byte
	rand.Read(id[:])
	id[0] &= 0x7f
	return base64.RawURLEncoding.EncodeToString(id[:])
}

// javaCommand is the Java of JAVA_HOME, or the one on the PATH.
func javaCommand() string {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		return filepath.Join(home, "bin", "java")
	}
	return "java"
}
