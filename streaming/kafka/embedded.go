package kafka

import (
	"errors"
	"fmt"
	"sync"
	"syscall"
	"time"

	"github.com/twmb/franz-go/pkg/kfake"

	"github.com/spillway-go/spillway/internal/fault"
)

// Broker is a Kafka broker within the process.
type Broker struct {
	cluster *kfake.Cluster
	addr    string
	once    sync.Once
}

// Embedded starts a broker that keeps its data in the folder dir, which is made when it is absent, and serves on the
// loopback at the port; 0 takes a free one. What has been acknowledged is on disk and is there again at the next start.
// One process at a time may use a folder. Topics are not made by asking for them, and events of long ago are kept: the
// broker deletes nothing by age.
func Embedded(dir string, port int) (*Broker, error) {
	cluster, err := kfake.NewCluster(
		kfake.NumBrokers(1),
		kfake.Ports(port),
		kfake.DataDir(dir),
		kfake.SyncWrites(),
		// A member that has died is missed as soon as the session that it asked for allows.
		kfake.GroupMinSessionTimeout(500*time.Millisecond),
		kfake.BrokerConfigs(map[string]string{"log.retention.ms": "-1"}),
	)
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return nil, fault.Wrap(err, fmt.Sprintf("port %d", port), "is in use",
			"choose another port for the embedded Kafka, or 0 for any that is free")
	case err != nil:
		return nil, fault.Wrap(err, "embedded Kafka in "+dir, "does not start",
			"see that the folder can be written and is used by no other process")
	}
	return &Broker{cluster: cluster, addr: cluster.ListenAddrs()[0]}, nil
}

// Addr is the broker's host:port.
func (b *Broker) Addr() string { return b.addr }

// Close stops the broker and keeps its data. Closing it again does nothing.
func (b *Broker) Close() { b.once.Do(b.cluster.Close) }
