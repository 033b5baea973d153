package spillway

import (
	"errors"
	"io/fs"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/pflag"
	"go.yaml.in/yaml/v3"

	"github.com/spillway-go/spillway/internal/fault"
)

// setting is the value of a configuration key as somebody gave it.
type setting struct {
	key   string
	value any    // what YAML makes of it, or a text
	place string // where it stands, by the name under which the user gave it
	known func() []string
}

// apply puts the value into its field. A value is not repeated in an error: it may hold a password.
func (s *setting) apply(c *Config) error {
	fields := reflect.ValueOf(c).Elem()
	for i := range fields.NumField() {
		if fields.Type().Field(i).Tag.Get("key") != s.key {
			continue
		}
		if wanted, example := s.set(fields.Field(i).Addr().Interface()); wanted != "" {
			return fault.New(s.place, "is no "+wanted, "write it as in "+example)
		}
		return nil
	}
	name := s.place[strings.LastIndexByte(s.place, ' ')+1:]
	return fault.New(s.place, "is unknown", didYouMean(name, s.known()))
}

// set says what is wanted if the value is of another type.
func (s *setting) set(field any) (wanted, example string) {
	text, isText := s.value.(string)
	number, isInt := s.value.(int)
	if isInt {
		text, isText = strconv.Itoa(number), true
	}
	var err error
	switch field := field.(type) {
	case *string:
		if *field = text; !isText {
			return "text", s.key + `: "text"`
		}
	case *int:
		if *field, err = strconv.Atoi(text); err != nil {
			return "whole number", "8"
		}
	case *time.Duration:
		if *field, err = time.ParseDuration(text); err != nil {
			return "duration", "100ms or 2s"
		}
	case *[]string:
		list, ok := s.list()
		if *field = list; !ok {
			return "list of texts", s.key + ": [kafka-1:9092, kafka-2:9092]"
		}
	}
	return "", ""
}

// list is a list of YAML's, or a text with commas.
func (s *setting) list() (list []string, ok bool) {
	switch v := s.value.(type) {
	case []any:
		for _, elem := range v {
			text, isText := elem.(string)
			if !isText {
				return nil, false
			}
			list = append(list, text)
		}
		return list, true
	case []string:
		return v, true
	case string:
		for elem := range strings.SplitSeq(v, ",") {
			if elem = strings.TrimSpace(elem); elem != "" {
				list = append(list, elem)
			}
		}
		return list, true
	}
	return nil, false
}

// fromFile reads the file that --config names, or spillway.yaml if it is there.
func fromFile(flags *pflag.FlagSet) ([]setting, error) {
	path, _ := flags.GetString("config")
	named := path != ""
	if !named {
		path = configFile
	}
	text, err := os.ReadFile(path)
	switch {
	case errors.Is(err, fs.ErrNotExist) && !named:
		return nil, nil
	case err != nil:
		return nil, fault.Wrap(err, "configuration file "+path, "cannot be read", "check its name, and who may read it")
	}
	values := map[string]any{}
	if err := yaml.Unmarshal(text, &values); err != nil {
		return nil, fault.Wrap(err, "configuration file "+path, "does not hold keys and values in YAML", `write a line for each key, as in "listen: 127.0.0.1:8080"`)
	}
	var given []setting
	for key, v := range values {
		if v == nil {
			continue // a key with nothing behind it is as if it were not there
		}
		given = append(given, setting{key: key, value: v, place: path + ": key " + key, known: configKeys})
	}
	slices.SortFunc(given, func(a, b setting) int { return strings.Compare(a.key, b.key) })
	return given, nil
}

const envPrefix = "SPILLWAY_"

// notOurs are variables of the project's own tests and benchmarks.
var notOurs = []string{"SPILLWAY_REAL", "SPILLWAY_QUESTIONS", "SPILLWAY_TEST_", "SPILLWAY_BENCH_"}

// fromEnv takes the variables that have a value: an empty one is as if it were not there.
func fromEnv(environ []string) []setting {
	var given []setting
	for _, variable := range environ {
		name, value, _ := strings.Cut(variable, "=")
		key, ours := strings.CutPrefix(name, envPrefix)
		if !ours || value == "" || slices.ContainsFunc(notOurs, func(p string) bool { return strings.HasPrefix(name, p) }) {
			continue
		}
		given = append(given, setting{key: strings.ToLower(key), value: value, place: "environment variable " + name, known: envNames})
	}
	return given
}

func envNames() []string {
	var names []string
	for _, key := range configKeys() {
		names = append(names, envPrefix+strings.ToUpper(key))
	}
	return names
}

// fromFlags takes the flags that were given. That they are known, and of which type they are, pflag has seen to.
func fromFlags(flags *pflag.FlagSet) []setting {
	var given []setting
	flags.Visit(func(f *pflag.Flag) {
		key := strings.ReplaceAll(f.Name, "-", "_")
		if !slices.Contains(configKeys(), key) {
			return
		}
		s := setting{key: key, value: f.Value.String(), place: "flag --" + f.Name, known: configKeys}
		if list, ok := f.Value.(pflag.SliceValue); ok {
			s.value = list.GetSlice()
		}
		given = append(given, s)
	})
	return given
}
