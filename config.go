package spillway

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/knadh/koanf/parsers/yaml"
	env "github.com/knadh/koanf/providers/env/v2"
	"github.com/knadh/koanf/providers/file"
	"github.com/knadh/koanf/v2"
	"github.com/spf13/pflag"

	"github.com/spillway-go/spillway/internal/fault"
)

// Config is what a program can be told about its surroundings. Each key may be given, the first that is found winning, as
// a flag (--data-dir), in the environment (SPILLWAY_DATA_DIR), in spillway.yaml (data_dir) or left at its default.
type Config struct {
	DataDir     string        `koanf:"data_dir" help:"folder of the embedded parts: broker, lake, online store, ledger"`
	Brokers     []string      `koanf:"brokers" help:"Kafka brokers, host:port; none: the embedded broker"`
	Format      string        `koanf:"record_format" help:"how records are encoded: json, avro or confluent"`
	AvroSchema  string        `koanf:"avro_schema" help:"file with the writer's schema, for record_format avro"`
	Registry    string        `koanf:"registry" help:"URL of the schema registry, for record_format confluent"`
	Instance    string        `koanf:"instance" help:"name that this process keeps over restarts, and no other has, to take up its partitions at once"`
	CommitEvery time.Duration `koanf:"commit_every" help:"how long a stream's transaction lasts"`
	Warehouse   string        `koanf:"warehouse" help:"folder of the lake's tables (default: lake in the data folder)"`
	Listen      string        `koanf:"listen" help:"address that serve listens on"`
	Cron        string        `koanf:"cron" help:"when schedule runs the batch"`
	Partitions  int           `koanf:"partitions" help:"partitions of a topic that load creates; 0: 4, and a topic that is there is taken as it is"`
	Memory      string        `koanf:"memory" help:"memory that a batch's sort may use before it spills to disk"`
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
		name, help := flagName(f.Tag.Get("koanf")), f.Tag.Get("help")
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
		keys = append(keys, f.Tag.Get("koanf"))
	}
	return keys
}

// loadConfig puts the configuration together: flag, then environment, then file, then default.
func loadConfig(flags *pflag.FlagSet) (Config, error) {
	c := defaults()
	k := koanf.New("\x00")
	if err := loadFile(k, flags); err != nil {
		return c, err
	}
	if err := k.Load(env.Provider("\x00", env.Opt{Prefix: "SPILLWAY_", TransformFunc: fromEnv}), nil); err != nil {
		return c, fmt.Errorf("environment: %w", err)
	}
	if err := checkKeys(k.Keys(), "SPILLWAY_* and "+configFile); err != nil {
		return c, err
	}
	changed := map[string]any{}
	flags.Visit(func(f *pflag.Flag) {
		key := strings.ReplaceAll(f.Name, "-", "_")
		if !slices.Contains(configKeys(), key) {
			return
		}
		if s, ok := f.Value.(pflag.SliceValue); ok {
			changed[key] = s.GetSlice()
		} else {
			changed[key] = f.Value.String()
		}
	})
	for key, v := range changed {
		if err := k.Set(key, v); err != nil {
			return c, fmt.Errorf("flag --%s: %w", flagName(key), err)
		}
	}
	if err := k.Unmarshal("", &c); err != nil {
		return c, fault.Wrap(err, "configuration", "holds a value of another type", "see the types in docs/operating.md")
	}
	return c, c.check()
}

func loadFile(k *koanf.Koanf, flags *pflag.FlagSet) error {
	path, _ := flags.GetString("config")
	given := path != ""
	if !given {
		path = configFile
	}
	if _, err := os.Stat(path); err != nil {
		if !given && errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		return fault.Wrap(err, "configuration file "+path, "cannot be read", "check --config")
	}
	own := koanf.New("\x00")
	if err := own.Load(file.Provider(path), yaml.Parser()); err != nil {
		return fault.Wrap(err, "configuration file "+path, "is no YAML", "mend it")
	}
	if err := checkKeys(own.Keys(), path); err != nil {
		return err
	}
	return k.Merge(own)
}

// fromEnv turns SPILLWAY_DATA_DIR into data_dir, and a list's commas into a list. SPILLWAY_REAL belongs to the tests.
func fromEnv(name, value string) (string, any) {
	key := strings.ToLower(strings.TrimPrefix(name, "SPILLWAY_"))
	if key == "brokers" {
		return key, strings.Split(value, ",")
	}
	if !slices.Contains(configKeys(), key) && (key == "real" || key == "questions") {
		return "", nil
	}
	return key, value
}

func checkKeys(keys []string, where string) error {
	var faults fault.List
	for _, key := range keys {
		key, _, _ = strings.Cut(key, "\x00")
		if !slices.Contains(configKeys(), key) {
			faults.Add(fault.New(fmt.Sprintf("configuration key %q in %s", key, where), "is unknown", didYouMean(key, configKeys())))
		}
	}
	return faults.Err()
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
