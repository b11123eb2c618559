package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// A Setting is the description of a variable in the tags of Config.
type Setting struct {
	Name    string
	Default string // in the form of the variable; "" is none
	Help    string
	Secret  bool // whether Name_FILE is read too and the value is never shown
	Main    bool // whether it is in the README's table

	oneOf    []string
	min, max string
	example  string
	field    int
	kind     reflect.Kind
}

// Settings returns all settings in the order of Config.
func Settings() []Setting {
	t := reflect.TypeFor[Config]()
	var all []Setting
	for i := range t.NumField() {
		if s, ok := newSetting(t.Field(i), i); ok {
			all = append(all, s)
		}
	}
	return all
}

func newSetting(f reflect.StructField, i int) (Setting, bool) {
	name := f.Tag.Get("env")
	if name == "" || name == "-" {
		return Setting{}, false
	}
	s := Setting{
		Name: name, Default: f.Tag.Get("envDefault"), Help: f.Tag.Get("help"),
		Secret: f.Type == reflect.TypeFor[Secret]() || f.Type == reflect.TypeFor[DSN](),
		Main:   f.Tag.Get("main") == "true",
		min:    f.Tag.Get("min"), max: f.Tag.Get("max"), example: f.Tag.Get("eg"),
		field: i, kind: f.Type.Kind(),
	}
	if one := f.Tag.Get("oneof"); one != "" {
		s.oneOf = strings.Split(one, "|")
	}
	if s.example == "" {
		s.example = s.Default
	}
	return s, true
}

func settingOfField(name string) (Setting, bool) {
	f, ok := reflect.TypeFor[Config]().FieldByName(name)
	if !ok {
		return Setting{}, false
	}
	return newSetting(f, f.Index[0])
}

// Values returns a text with the allowed values; "" if any is allowed.
func (s Setting) Values() string {
	switch {
	case len(s.oneOf) > 0:
		return strings.Join(s.oneOf, ", ")
	case s.kind == reflect.Bool:
		return "true, false"
	case s.min != "":
		return s.min + " to " + s.max
	}
	return ""
}

// problem returns the problem of an invalid value, with its fix.
func (s Setting) problem(value, why string) Problem {
	shown := s.Name + "=" + value
	if s.Secret {
		shown = s.Name
	}
	return Problem{s.Name, shown + " " + why + ".", s.fix()}
}

func (s Setting) fix() string {
	fix := "Set " + s.Name
	if v := s.Values(); v != "" {
		fix += " to one of: " + v
		if len(s.oneOf) == 0 && s.kind != reflect.Bool {
			fix = "Set " + s.Name + " to " + s.min + " up to " + s.max
		}
	}
	if s.example == "" {
		return fix + "."
	}
	return fix + ", for example " + s.Name + "=" + s.example + "."
}

// boundsProblem returns why value is not allowed for s; "" if it is.
func (s Setting) boundsProblem(value reflect.Value) string {
	switch v := value.Interface().(type) {
	case string:
		return s.oneOfProblem(v)
	case []string:
		for _, item := range v {
			if item == "" {
				return "has an empty entry"
			}
			if why := s.oneOfProblem(item); why != "" {
				return why
			}
		}
	case time.Duration:
		return rangeProblem(v, mustDuration(s.min), mustDuration(s.max))
	case int:
		return s.intRangeProblem(int64(v))
	case Bytes:
		return s.intRangeProblem(int64(v))
	}
	return ""
}

func (s Setting) oneOfProblem(v string) string {
	for _, known := range s.oneOf {
		if v == known {
			return ""
		}
	}
	if len(s.oneOf) == 0 || v == "" {
		return ""
	}
	return "is not a value it knows"
}

func (s Setting) intRangeProblem(v int64) string {
	low, _ := strconv.ParseInt(s.min, 10, 64)
	high, _ := strconv.ParseInt(s.max, 10, 64)
	return rangeProblem(v, low, high)
}

func rangeProblem[T int64 | time.Duration](v, low, high T) string {
	switch {
	case v < low:
		return "is too small"
	case v > high:
		return "is too large"
	}
	return ""
}

// mustDuration parses a bound in a tag, and panics if it is invalid. A test calls it for
// all tags.
func mustDuration(s string) time.Duration {
	d, err := ParseDuration(s)
	if err != nil {
		panic(fmt.Sprintf("tag with a bad duration %q", s))
	}
	return d
}

// A Value is a setting with its current value.
type Value struct {
	Setting
	Text string // the value; secrets are redacted
	Set  bool   // whether it differs from the default
}

// Effective returns all settings with their current values. Secrets are redacted.
func (c *Config) Effective() []Value {
	config := reflect.ValueOf(c).Elem()
	var all []Value
	for _, s := range Settings() {
		text := formatValue(config.Field(s.field).Interface())
		all = append(all, Value{s, text, text != c.shownDefault(s)})
	}
	return all
}

// shownDefault returns the default in the form of formatValue, which may differ from the
// tag's.
func (c *Config) shownDefault(s Setting) string {
	fresh, _ := parseDefaults()
	fresh.PasswordMin = c.defaultPasswordMin()
	return formatValue(reflect.ValueOf(fresh).Field(s.field).Interface())
}

func parseDefaults() (Config, Problems) {
	var ps Problems
	return parse(map[string]string{}, &ps), ps
}

func formatValue(v any) string {
	switch v := v.(type) {
	case Secret:
		if v == "" {
			return ""
		}
		return redacted
	case time.Duration:
		return FormatDuration(v)
	case []string:
		return strings.Join(v, ",")
	}
	return fmt.Sprint(v)
}
