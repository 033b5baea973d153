package spillway

import (
	"context"
	"net"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/streaming/decode"
	"github.com/spillway-go/spillway/streaming/kafka"
)

// broker is the Kafka that a command talks to.
type broker struct {
	seeds []string
	close func()
}

// openBroker gives the configured brokers. Without any it is the embedded one: that of a process that is running on the
// same data folder, or else this process's own.
func openBroker(c *Config) (*broker, error) {
	if len(c.Brokers) > 0 {
		return &broker{seeds: c.Brokers, close: func() {}}, nil
	}
	note := c.path("kafka.addr")
	if addr := running(note); addr != "" {
		return &broker{seeds: []string{addr}, close: func() {}}, nil
	}
	if err := os.MkdirAll(c.DataDir, 0o755); err != nil {
		return nil, fault.Wrap(err, "data folder "+c.DataDir, "cannot be made", "choose another with data_dir")
	}
	unlock, err := lockFile(c.path("kafka.lock"))
	if err != nil {
		return nil, fault.Wrap(err, "embedded Kafka in "+c.path("kafka"), "is used by a process that does not answer",
			"stop that process, or choose another data_dir")
	}
	b, err := kafka.Embedded(c.path("kafka"), 0)
	if err != nil {
		unlock()
		return nil, err
	}
	if err := os.WriteFile(note, []byte(b.Addr()), 0o644); err != nil {
		b.Close()
		unlock()
		return nil, fault.Wrap(err, note, "cannot be written", "see that the data folder can be written")
	}
	return &broker{seeds: []string{b.Addr()}, close: func() {
		_ = os.Remove(note)
		b.Close()
		unlock()
	}}, nil
}

// running is the address that the note names, if somebody answers there.
func running(note string) string {
	b, err := os.ReadFile(filepath.Clean(note))
	if err != nil {
		return ""
	}
	addr := strings.TrimSpace(string(b))
	conn, err := net.DialTimeout("tcp", addr, time.Second)
	if err != nil {
		return ""
	}
	_ = conn.Close()
	return addr
}

func (b *broker) client() []kgo.Opt { return []kgo.Opt{kgo.SeedBrokers(b.seeds...)} }

// format is how records are encoded.
func (c *Config) format(ctx context.Context) (decode.Format, error) {
	switch c.Format {
	case "avro":
		text, err := os.ReadFile(c.AvroSchema)
		if err != nil {
			return nil, fault.Wrap(err, "avro_schema "+c.AvroSchema, "cannot be read", "name the file of the writer's schema")
		}
		return decode.Avro(string(text))
	case "confluent":
		client, err := sr.NewClient(sr.URLs(c.Registry))
		if err != nil {
			return nil, fault.New("registry", "its URL is none that can be used", "write it as http://host:port")
		}
		return decode.Confluent(decode.SchemaRegistry(client)), nil
	}
	return decode.JSON(), nil
}
