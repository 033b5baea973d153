package spillway

import (
	"fmt"
	"net"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/spf13/pflag"

	"github.com/spillway-go/spillway/internal/fault"
)

// Config is what a program can be told about its surroundings. Each key may be given, the first that is found winning, as
// a flag (--data-dir), in the environment (SPILLWAY_DATA_DIR), in spillway.yaml (data_dir) or left at its default.
type Config struct {
	DataDir     string        `key:"data_dir" help:"folder of the embedded parts: broker, lake, online store, ledger"`
	Brokers     []string      `key:"brokers" help:"Kafka brokers, host:port; none: the embedded broker"`
	Format      string        `key:"record_format" help:"how records are encoded: json, avro or confluent"`
	AvroSchema  string        `key:"avro_schema" help:"file with the writer's schema, for record_format avro"`
	Registry    string        `key:"registry" help:"URL of the schema registry, for record_format confluent"`
	Instance    string        `key:"instance" help:"name that this process keeps over restarts, and no other has, to take up its partitions at once"`
	CommitEvery time.Duration `key:"commit_every" help:"how long a stream's transaction lasts"`
	Warehouse   string        `key:"warehouse" help:"folder of the lake's tables (default: lake in the data folder)"`
	Listen      string        `key:"listen" help:"address that serve listens on"`
	Cron        string        `key:"cron" help:"when schedule runs the batch"`
	Partitions  int           `key:"partitions" help:"partitions of a topic that load creates; 0: 4, and a topic that is there is taken as it is"`
	Memory      string        `key:"memory" help:"memory that a batch's sort may use before it spills to disk"`
}

func defaults() Config {
	return Config{
		DataDir: ".spillway", Format: "json", CommitEvery: 100 * time.Millisecond,
		Listen: "127.0.0.1:6566", Cron: "0 2 * * *", Memory: "1GB",
	}
}

const configFile = "spillway.yaml"

// configFlags adds a flag for each key.
func configFlags(flags *pflag.FlagSet) {
	flags.String("config", "", "configuration file (default: "+configFile+" if it is there)")
	d := reflect.ValueOf(defaults())
	for i := range d.NumField() {
		f := d.Type().Field(i)
		name, help := flagName(f.Tag.Get("key")), f.Tag.Get("help")
		switch v := d.Field(i).Interface().(type) {
		case string:
			flags.String(name, v, help)
		case []string:
			flags.StringSlice(name, v, help)
		case int:
			flags.Int(name, v, help)
		case time.Duration:
			flags.Duration(name, v, help)
		}
	}
}

func flagName(key string) string { return strings.ReplaceAll(key, "_", "-") }

func configKeys() []string {
	var keys []string
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Config]()) {
		keys = append(keys, f.Tag.Get("key"))
	}
	return keys
}

// loadConfig puts the configuration together: flag, then environment, then file, then default.
func loadConfig(flags *pflag.FlagSet) (Config, error) {
	c := defaults()
	given, err := fromFile(flags)
	if err != nil {
		return c, err
	}
	given = slices.Concat(given, fromEnv(os.Environ()), fromFlags(flags))
	var faults fault.List
	for _, s := range given { // in this order, a later one takes the place of an earlier one
		faults.Add(s.apply(&c))
	}
	if err := faults.Err(); err != nil {
		return c, err
	}
	return c, c.check()
}

func (c *Config) check() error {
	var faults fault.List
	formats := []string{"json", "avro", "confluent"}
	if !slices.Contains(formats, c.Format) {
		faults.Add(fault.New(fmt.Sprintf("record_format %q", c.Format), "is unknown", didYouMean(c.Format, formats)))
	}
	if c.Format == "avro" && c.AvroSchema == "" {
		faults.Add(fault.New("record_format avro", "has no schema", "give the file with avro_schema"))
	}
	if c.Format == "confluent" && c.Registry == "" {
		faults.Add(fault.New("record_format confluent", "has no registry", "give its URL with registry"))
	}
	for _, b := range c.Brokers {
		if host, port, err := net.SplitHostPort(b); err != nil || host == "" || port == "" || strings.ContainsAny(b, "@/") {
			// The value is not repeated: it may hold a password.
			faults.Add(fault.New("brokers", "names one that is not written as HOST:PORT", "write it as in kafka-1:9092; credentials do not belong there"))
		}
	}
	if u, err := url.Parse(c.Registry); c.Registry != "" && (err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https") {
		// Nor is this one.
		faults.Add(fault.New("registry", "is no URL of a server", "write it as in http://registry:8081"))
	}
	if c.CommitEvery < time.Millisecond {
		faults.Add(fault.New("commit_every", fmt.Sprintf("is %v", c.CommitEvery), "use at least 1ms"))
	}
	if c.Partitions < 0 {
		faults.Add(fault.New("partitions", fmt.Sprintf("is %d", c.Partitions), "use 1 or more, or 0"))
	}
	if c.DataDir == "" {
		faults.Add(fault.New("data_dir", "is empty", "name a folder"))
	}
	return faults.Err()
}

// path is a place in the data folder.
func (c *Config) path(elem ...string) string {
	return filepath.Join(append([]string{c.DataDir}, elem...)...)
}
