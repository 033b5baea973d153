package spillway

import (
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/spf13/pflag"
)

// configured loads the configuration in a folder that holds the file, with the environment and the flags.
func configured(t *testing.T, yaml string, env map[string]string, args ...string) (Config, error) {
	t.Helper()
	t.Chdir(t.TempDir())
	if yaml != "" {
		if err := os.WriteFile(configFile, []byte(yaml), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, value := range env {
		t.Setenv(name, value)
	}
	flags := pflag.NewFlagSet("test", pflag.ContinueOnError)
	configFlags(flags)
	if err := flags.Parse(args); err != nil {
		t.Fatal(err)
	}
	return loadConfig(flags)
}

// given are two values for each key, as they are written and as they are meant.
var given = map[string][2]struct {
	text string
	want any
}{
	"data_dir":      {{"a", "a"}, {"b", "b"}},
	"brokers":       {{"a:1", []string{"a:1"}}, {"b:1,c:2", []string{"b:1", "c:2"}}},
	"record_format": {{"json", "json"}, {"avro", "avro"}},
	"avro_schema":   {{"a", "a"}, {"b", "b"}},
	"registry":      {{"http://a", "http://a"}, {"http://b", "http://b"}},
	"instance":      {{"a", "a"}, {"b", "b"}},
	"commit_every":  {{"1s", time.Second}, {"2s", 2 * time.Second}},
	"warehouse":     {{"a", "a"}, {"b", "b"}},
	"listen":        {{":1", ":1"}, {":2", ":2"}},
	"cron":          {{"1 1 * * *", "1 1 * * *"}, {"2 2 * * *", "2 2 * * *"}},
	"partitions":    {{"1", 1}, {"2", 2}},
	"memory":        {{"1MB", "1MB"}, {"2MB", "2MB"}},
}

// TestPrecedence gives every key in every place: flag wins over environment, that over the file, that over the default.
func TestPrecedence(t *testing.T) {
	for i, key := range configKeys() {
		values, ok := given[key]
		if !ok {
			t.Errorf("key %s is not tested", key)
			continue
		}
		env := envPrefix + strings.ToUpper(key)
		also := "avro_schema: x\n" // without which record_format avro is refused
		if key == "avro_schema" {
			also = ""
		}
		file := func(n int) string { return also + key + `: "` + values[n].text + "\"\n" }
		flag := func(n int) string { return "--" + flagName(key) + "=" + values[n].text }
		for _, c := range []struct {
			what string
			yaml string
			env  map[string]string
			args []string
			want any
		}{
			{what: "default", want: reflect.ValueOf(defaults()).Field(i).Interface()},
			{what: "file", yaml: file(1), want: values[1].want},
			{what: "environment over file", yaml: file(0), env: map[string]string{env: values[1].text}, want: values[1].want},
			{what: "an empty variable is none", yaml: file(1), env: map[string]string{env: ""}, want: values[1].want},
			{what: "flag over environment and file", yaml: file(0), env: map[string]string{env: values[0].text}, args: []string{flag(1)}, want: values[1].want},
			{what: "flag over file", yaml: file(0), args: []string{flag(1)}, want: values[1].want},
		} {
			t.Run(key+"/"+c.what, func(t *testing.T) {
				got, err := configured(t, c.yaml, c.env, c.args...)
				if err != nil {
					t.Fatal(err)
				}
				if v := reflect.ValueOf(got).Field(i).Interface(); !reflect.DeepEqual(v, c.want) {
					t.Errorf("%v, want %v", v, c.want)
				}
			})
		}
	}
}

func TestConfigInYAML(t *testing.T) {
	c, err := configured(t, "brokers: [kafka-1:9092, kafka-2:9092]\npartitions: 8\ncommit_every: 50ms\nmemory: 1000000\nregistry:\n", nil)
	if err != nil {
		t.Fatal(err)
	}
	want := defaults()
	want.Brokers, want.Partitions, want.CommitEvery, want.Memory = []string{"kafka-1:9092", "kafka-2:9092"}, 8, 50*time.Millisecond, "1000000"
	if !reflect.DeepEqual(c, want) {
		t.Errorf("%+v, want %+v", c, want)
	}
	named := filepath.Join(t.TempDir(), "other.yaml")
	if err := os.WriteFile(named, []byte("partitions: 3\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if c, err = configured(t, "partitions: 8\n", nil, "--config", named); err != nil || c.Partitions != 3 {
		t.Errorf("of the file that --config names: %d, %v", c.Partitions, err)
	}
}

func TestWrongConfiguration(t *testing.T) {
	for _, c := range []struct {
		yaml string
		env  string // NAME=VALUE
		args string
		want string
	}{
		{yaml: "brokres: [a:1]", want: `spillway.yaml: key brokres: is unknown; did you mean "brokers"?`},
		{yaml: "DataDir: x", want: `spillway.yaml: key DataDir: is unknown; did you mean "data_dir"?`},
		{yaml: "kafka:\n  tls: true", want: "spillway.yaml: key kafka: is unknown; known are: data_dir, brokers,"},
		{yaml: "data_dir: [a, b]", want: "spillway.yaml: key data_dir: is no text; write it as in"},
		{yaml: "partitions: 1.5", want: "spillway.yaml: key partitions: is no whole number; write it as in 8"},
		{yaml: "commit_every: soon", want: "spillway.yaml: key commit_every: is no duration; write it as in 100ms"},
		{yaml: "brokers: [1, 2]", want: "spillway.yaml: key brokers: is no list of texts; write it as in brokers: [kafka-1:9092"},
		{yaml: "brokers: {a: 1}", want: "spillway.yaml: key brokers: is no list of texts"},
		{yaml: "- a\n- b", want: "configuration file spillway.yaml: does not hold keys and values in YAML"},
		{yaml: "listen: :1\nlisten: :2", want: "configuration file spillway.yaml: does not hold keys and values in YAML"},
		{args: "--config=nowhere.yaml", want: "configuration file nowhere.yaml: cannot be read"},
		{args: "--config=.", want: "configuration file .: cannot be read"},
		{env: "SPILLWAY_DATADIR=x", want: `environment variable SPILLWAY_DATADIR: is unknown; did you mean "SPILLWAY_DATA_DIR"?`},
		{env: "SPILLWAY_PARTITIONS=many", want: "environment variable SPILLWAY_PARTITIONS: is no whole number"},
		{env: "SPILLWAY_BROKERS=user:secret@kafka:9092", want: "brokers: names one that is not written as HOST:PORT"},
		{env: "SPILLWAY_REGISTRY=user:secret@registry:8081", want: "registry: is no URL of a server; write it as in http://registry:8081"},
		{args: "--registry=http://user:secret@registry:port", want: "registry: is no URL of a server"},
		{args: "--brokers=kafka", want: "brokers: names one that is not written as HOST:PORT"},
		{args: "--partitions=-1", want: "partitions: is -1; use 1 or more, or 0"},
		{args: "--commit-every=0s", want: "commit_every: is 0s; use at least 1ms"},
		{args: "--data-dir=", want: "data_dir: is empty; name a folder"},
		{args: "--record-format=jsn", want: `record_format "jsn": is unknown; did you mean "json"?`},
		{args: "--record-format=avro", want: "record_format avro: has no schema; give the file with avro_schema"},
		{args: "--record-format=confluent", want: "record_format confluent: has no registry; give its URL with registry"},
	} {
		t.Run(c.yaml+c.env+c.args, func(t *testing.T) {
			env := map[string]string{}
			if name, value, ok := strings.Cut(c.env, "="); ok {
				env[name] = value
			}
			_, err := configured(t, c.yaml, env, strings.Fields(c.args)...)
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("%v\nwant %s", err, c.want)
			}
			if err != nil && strings.Contains(err.Error(), "secret") {
				t.Errorf("it tells a secret: %v", err)
			}
		})
	}
}

// TestWrongConfigurationAtOnce wants every mistake in one go.
func TestWrongConfigurationAtOnce(t *testing.T) {
	_, err := configured(t, "brokres: a\npartitions: x\n", map[string]string{"SPILLWAY_CORN": "x"})
	for _, want := range []string{"key brokres", "key partitions", "SPILLWAY_CORN"} {
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v\nwithout %s", err, want)
		}
	}
}
