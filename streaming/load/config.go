package load

import (
	"fmt"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline/schema"
)

// The defaults of Config.
const (
	DefaultPartitions = 4
	DefaultPatience   = 30 * time.Second
)

// Config is what Run is told.
type Config struct {
	// Client says how brokers are reached: kgo.SeedBrokers at least, and TLS, SASL or a logger.
	Client []kgo.Opt
	// Topic is where the records go. It is created when it is absent, to keep records for ever and the timestamps that
	// they are sent with.
	Topic string
	// Files are sent one behind the other. Their format is that of their names: .jsonl, .csv and .parquet, and .gz or .zst
	// behind the first two.
	Files []string
	// Schema is that of the pipeline which has the topic as its source, or nil. It gives KeyField its default and the
	// columns of CSV files their kinds.
	Schema *schema.Schema
	// KeyField is the field whose value is the record's key: a text as it is, anything else as its JSON. A record where it
	// is null or absent has a null key. "" is the key of the Schema; without one, PartitionField must be set, and all keys
	// are null.
	KeyField string
	// PartitionField is the field that holds the number of the partition, if records are to go exactly where they were
	// recorded. "" lets Kafka's default hash of the key (murmur2) choose; null keys go to partition 0 then.
	PartitionField string
	// TimestampField is the field that holds the Kafka timestamp: an RFC 3339 text, or a whole number of microseconds since
	// 1970-01-01T00:00Z. Kafka keeps milliseconds; what is finer is floored. "" is the time of sending.
	TimestampField string
	// Partitions is how many the topic shall have. 0 takes an existing topic as it is, and creates one with
	// DefaultPartitions.
	Partitions int32
	// Rate is how many records to send a second. 0 is as many as possible.
	Rate int
	// Patience is how long to wait for a broker that does not answer. 0 is DefaultPatience.
	Patience time.Duration
	// Progress is called now and then, from the goroutine that called Run, unless it is nil.
	Progress func(Progress)
	// Clock is the time; nil is the system's.
	Clock Clock
}

func (c *Config) complete() error {
	switch {
	case c.Topic == "":
		return fault.New("load", "no topic is named", "name the topic first, then the files")
	case len(c.Files) == 0:
		return fault.New("load", "no file is named", "name at least one file: "+knownFormats)
	case c.Partitions < 0:
		return fault.New("partitions", fmt.Sprintf("are %d", c.Partitions), "choose 1 or more")
	case c.Rate < 0:
		return fault.New("rate", fmt.Sprintf("is %d records a second", c.Rate), "choose 1 or more, or 0 for as many as possible")
	case c.Patience < 0:
		return fault.New("patience", fmt.Sprintf("is %v", c.Patience), "choose a duration above zero")
	}
	if c.KeyField == "" && c.Schema != nil {
		if k := c.Schema.ByRole(schema.Key); k >= 0 {
			c.KeyField = c.Schema.Fields[k].Name
		}
	}
	if c.KeyField == "" && c.PartitionField == "" {
		return fault.New(fmt.Sprintf("topic %q", c.Topic), "is no pipeline's source, so that its key is not known",
			"name the field that holds the key, or the field that holds the partition")
	}
	if c.Patience == 0 {
		c.Patience = DefaultPatience
	}
	if c.Clock == nil {
		c.Clock = systemClock{}
	}
	return nil
}

// names are the routing fields by name, "" for those that are not used.
func (c *Config) names() [routingFields]string {
	return [routingFields]string{keyField: c.KeyField, partitionField: c.PartitionField, stampField: c.TimestampField}
}
