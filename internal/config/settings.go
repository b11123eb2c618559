package config

import (
	"fmt"
	"reflect"
	"strconv"
	"strings"
	"time"
)

// A Setting describes one variable, as Config's tags have it.
type Setting struct {
	Name    string
	Default string // as one would write it; "" is none
	Help    string
	Secret  bool // Name_FILE works too, and no listing shows the value
	Main    bool // one of the few that most people look for

	oneOf    []string
	min, max string
	example  string
	field    int
	kind     reflect.Kind
}

// Settings gives every setting in Config's order.
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

// Values says in words what may be set, "" if anything may.
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

// problem tells that value is wrong for s, and what would be right.
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

// breach says how value breaks s's bounds, "" if it does not.
func (s Setting) breach(value reflect.Value) string {
	switch v := value.Interface().(type) {
	case string:
		return s.notOneOf(v)
	case []string:
		for _, item := range v {
			if item == "" {
				return "has an empty entry"
			}
			if why := s.notOneOf(item); why != "" {
				return why
			}
		}
	case time.Duration:
		return outside(v, mustDuration(s.min), mustDuration(s.max))
	case int:
		return s.outsideInts(int64(v))
	case Bytes:
		return s.outsideInts(int64(v))
	}
	return ""
}

func (s Setting) notOneOf(v string) string {
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

func (s Setting) outsideInts(v int64) string {
	low, _ := strconv.ParseInt(s.min, 10, 64)
	high, _ := strconv.ParseInt(s.max, 10, 64)
	return outside(v, low, high)
}

func outside[T int64 | time.Duration](v, low, high T) string {
	switch {
	case v < low:
		return "is too small"
	case v > high:
		return "is too large"
	}
	return ""
}

// mustDuration reads a bound in a tag; a test reads them all.
func mustDuration(s string) time.Duration {
	d, err := ParseDuration(s)
	if err != nil {
		panic(fmt.Sprintf("tag with a bad duration %q", s))
	}
	return d
}

// A Value is a setting with what is in force.
type Value struct {
	Setting
	Text string // what is in force; secrets hidden
	Set  bool   // differs from the default
}

// Effective gives every setting with the value in force, secrets hidden.
func (c *Config) Effective() []Value {
	config := reflect.ValueOf(c).Elem()
	var all []Value
	for _, s := range Settings() {
		text := show(config.Field(s.field).Interface())
		all = append(all, Value{s, text, text != c.shownDefault(s)})
	}
	return all
}

// shownDefault is the default in the spelling of show, which may be another
// than the tag's.
func (c *Config) shownDefault(s Setting) string {
	fresh, _ := parseDefaults()
	fresh.PasswordMin = c.defaultPasswordMin()
	return show(reflect.ValueOf(fresh).Field(s.field).Interface())
}

func parseDefaults() (Config, Problems) {
	var ps Problems
	return parse(map[string]string{}, &ps), ps
}

func show(v any) string {
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
