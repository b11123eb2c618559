package config

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"reflect"
	"slices"
	"strings"
	"time"

	"github.com/caarlos0/env/v11"
	"github.com/joho/godotenv"
)

// A Problem is one setting that keeps the server from starting.
type Problem struct {
	Name string // of the variable
	Text string // a sentence that starts with what was set; never a secret
	Fix  string // a sentence that says what to do
}

// Problems is every problem found, as one error.
type Problems []Problem

// Error lists the problems, each with its fix.
func (ps Problems) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the configuration has %s:\n", plural(len(ps), "problem"))
	for _, p := range ps {
		fmt.Fprintf(&b, "\n  %s\n      %s\n", p.Text, p.Fix)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

func plural(n int, word string) string {
	if n == 1 {
		return "1 " + word
	}
	return fmt.Sprintf("%d %ss", n, word)
}

// Load reads environ (in the form of os.Environ) and the file .env in the
// working directory, where environ wins. The error is Problems.
func Load(environ []string) (Config, error) {
	var ps Problems
	vars, fromFile := gather(environ, &ps)
	readSecretFiles(vars, &ps)
	cfg := parse(vars, &ps)
	cfg.setDerived(vars)
	cfg.checkNames(vars, fromFile, &ps)
	cfg.check(vars, &ps)
	if len(ps) == 0 {
		return cfg, nil
	}
	slices.SortStableFunc(ps, func(a, b Problem) int { return strings.Compare(a.Name, b.Name) })
	return cfg, ps
}

// gather merges environ over .env and drops empty values. It also gives the
// names that .env sets.
func gather(environ []string, ps *Problems) (vars map[string]string, fromFile []string) {
	vars, err := readDotEnv()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		*ps = append(*ps, Problem{".env", ".env cannot be read: " + cause(err) + ".", "Write one NAME=value on each line."})
	}
	if vars == nil {
		vars = map[string]string{}
	}
	fromFile = slices.Sorted(maps.Keys(vars))
	for _, entry := range environ {
		if name, value, ok := strings.Cut(entry, "="); ok && name != "" { // Windows has "=C:=C:\\folder"
			vars[name] = value
		}
	}
	maps.DeleteFunc(vars, func(_, value string) bool { return strings.TrimSpace(value) == "" })
	return vars, fromFile
}

// readDotEnv gives what the file .env sets. A $ in it stands for itself, as it
// did for the original: a secret or a password may have one.
func readDotEnv() (map[string]string, error) {
	text, err := os.ReadFile(".env")
	if err != nil {
		return nil, err
	}
	lines := slices.Collect(strings.Lines(strings.TrimPrefix(string(text), "\ufeff")))
	for i, line := range lines {
		lines[i] = literal(line)
	}
	vars, err := godotenv.Unmarshal(strings.Join(lines, ""))
	if err != nil { // whose words quote the file, and with it secrets
		return nil, fmt.Errorf("line %d is not NAME=value", badLine(lines))
	}
	if _, ok := vars[""]; ok {
		return nil, errors.New("a line has no name before the =")
	}
	return vars, nil
}

// literal keeps godotenv from putting other settings where line has a $.
func literal(line string) string {
	_, value, _ := strings.Cut(line, "=")
	if strings.HasPrefix(strings.TrimLeft(value, " \t"), "'") {
		return line // it already is
	}
	return strings.ReplaceAll(line, "$", `\$`)
}

// badLine is the number of the first line after which lines, which godotenv
// refuses, cannot become right again.
func badLine(lines []string) int {
	n := len(lines)
	for n > 1 {
		if _, err := godotenv.Unmarshal(strings.Join(lines[:n-1], "")); err == nil {
			break
		}
		n--
	}
	return n
}

// readSecretFiles fills each secret NAME from the file that NAME_FILE names.
func readSecretFiles(vars map[string]string, ps *Problems) {
	for _, s := range Settings() {
		path, ok := vars[s.Name+"_FILE"]
		if !s.Secret || !ok {
			continue
		}
		if _, both := vars[s.Name]; both {
			*ps = append(*ps, Problem{s.Name, s.Name + " and " + s.Name + "_FILE are both set.", "Keep one of them."})
			continue
		}
		value, err := readSecretFile(path)
		if err != nil {
			*ps = append(*ps, Problem{
				s.Name + "_FILE", fmt.Sprintf("%s_FILE=%s cannot be read: %s.", s.Name, path, cause(err)),
				"Name a file that this user may read, with nothing but the value in it.",
			})
			continue
		}
		vars[s.Name] = value
	}
}

// errEmpty is a secret that is not there yet. Without it the server would begin
// with another secret, or on another database, than it was told.
var errEmpty = errors.New("it is empty")

func readSecretFile(path string) (string, error) {
	text, err := os.ReadFile(path)
	value := strings.TrimRight(string(text), "\r\n")
	if err == nil && strings.TrimSpace(value) == "" {
		err = errEmpty
	}
	return value, err
}

// cause is the last part of an error about a file, without its path.
func cause(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return err.Error()
}

// parse fills a Config from vars. A setting that cannot be parsed is reported
// and gets its default, so that the checks that follow do not report it again.
func parse(vars map[string]string, ps *Problems) Config {
	cfg, err := parseVars(vars)
	var bad env.AggregateError
	if !errors.As(err, &bad) {
		return cfg
	}
	rest := maps.Clone(vars)
	for _, e := range bad.Errors {
		p := parseProblem(e, vars)
		*ps = append(*ps, p)
		delete(rest, p.Name)
	}
	cfg, _ = parseVars(rest)
	return cfg
}

// setDerived fills what was not set and whose default depends on other settings.
func (c *Config) setDerived(vars map[string]string) {
	if c.PasswordMin == 0 && vars["PASSWORD_MIN_LENGTH"] != "0" {
		c.PasswordMin = c.defaultPasswordMin()
	}
}

// defaultPasswordMin is 6 for an existing frontend, whose forms and error texts
// know that number, and 8 for the built-in page.
func (c *Config) defaultPasswordMin() int {
	if len(c.StaticDir) > 0 {
		return 6
	}
	return 8
}

func parseVars(vars map[string]string) (Config, error) {
	return env.ParseAsWithOptions[Config](env.Options{
		Environment: vars,
		FuncMap: map[reflect.Type]env.ParserFunc{
			reflect.TypeFor[time.Duration](): func(s string) (any, error) { return ParseDuration(s) },
		},
	})
}

func parseProblem(err error, vars map[string]string) Problem {
	var bad env.ParseError
	if !errors.As(err, &bad) {
		return Problem{"", err.Error() + ".", "Correct it."}
	}
	s, _ := settingOfField(bad.Name)
	return s.problem(vars[s.Name], reason(bad.Err, s))
}

// reason puts an error of a parser into words that follow the value.
func reason(err error, s Setting) string {
	switch {
	case s.kind == reflect.Bool:
		return "is neither true nor false"
	case s.kind == reflect.Int:
		return "is not a whole number"
	}
	return err.Error()
}
