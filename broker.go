package spillway

import (
	"context"
	"log/slog"
	"os"

	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/sr"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/streaming/decode"
)

// broker is the Kafka that a command talks to.
type broker struct {
	seeds []string
	close func()
}

// openBroker gives the configured brokers; without any it is the embedded one of the data folder.
func openBroker(ctx context.Context, c *Config, log *slog.Logger) (*broker, error) {
	if len(c.Brokers) > 0 {
		return &broker{seeds: c.Brokers, close: func() {}}, nil
	}
	e := &embedded{config: c, log: log}
	if err := e.open(ctx); err != nil {
		return nil, err
	}
	return &broker{seeds: []string{e.addr}, close: e.close}, nil
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
