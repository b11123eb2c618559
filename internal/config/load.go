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

	"expenseflow/models"
)

// A Problem is one setting that keeps the server from starting.
type Problem struct {
	Name string // of the variable
	Text string // a sentence that begins with the setting; contains no secret
	Fix  string // a sentence with what to do
}

// Problems is a list of problems as one error.
type Problems []Problem

// Error lists the problems, each with its fix.
func (ps Problems) Error() string {
	var b strings.Builder
	fmt.Fprintf(&b, "the configuration has %s:\n", models.Counted(len(ps), "problem"))
	for _, p := range ps {
		fmt.Fprintf(&b, "\n  %s\n      %s\n", p.Text, p.Fix)
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// Load reads the configuration from environ (in the form of os.Environ) and from the file
// .env in the working directory; environ takes precedence. The error is a Problems.
func Load(environ []string) (Config, error) {
	var ps Problems
	vars, fromFile := mergeEnviron(environ, &ps)
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

// mergeEnviron returns the non-empty variables of environ and .env, and the names that
// .env sets.
func mergeEnviron(environ []string, ps *Problems) (vars map[string]string, fromFile []string) {
	vars, err := readDotEnv()
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		*ps = append(*ps, Problem{".env", ".env cannot be read: " + fileErrorText(err) + ".", "Write one NAME=value on each line."})
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

// readDotEnv returns the variables of the file .env. A $ is not expanded, because a secret
// or a password may contain one.
func readDotEnv() (map[string]string, error) {
	text, err := os.ReadFile(".env")
	if err != nil {
		return nil, err
	}
	lines := slices.Collect(strings.Lines(strings.TrimPrefix(string(text), "\ufeff")))
	for i, line := range lines {
		lines[i] = escapeDollar(line)
	}
	vars, err := godotenv.Unmarshal(strings.Join(lines, ""))
	if err != nil { // its message may quote secrets of the file
		return nil, fmt.Errorf("line %d is not NAME=value", firstBadLine(lines))
	}
	if _, ok := vars[""]; ok {
		return nil, errors.New("a line has no name before the =")
	}
	return vars, nil
}

// escapeDollar escapes each $ of a line, so that godotenv does not expand it.
func escapeDollar(line string) string {
	_, value, _ := strings.Cut(line, "=")
	if strings.HasPrefix(strings.TrimLeft(value, " \t"), "'") {
		return line // not expanded in single quotes
	}
	return strings.ReplaceAll(line, "$", `\$`)
}

// firstBadLine returns the number of the line at which godotenv fails, from 1.
func firstBadLine(lines []string) int {
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
				s.Name + "_FILE", fmt.Sprintf("%s_FILE=%s cannot be read: %s.", s.Name, path, fileErrorText(err)),
				"Name a file that this user may read, with nothing but the value in it.",
			})
			continue
		}
		vars[s.Name] = value
	}
}

// errEmpty is the error of an empty secret file. Without it the server would start with a
// generated secret or the default database.
var errEmpty = errors.New("it is empty")

func readSecretFile(path string) (string, error) {
	text, err := os.ReadFile(path)
	value := strings.TrimRight(string(text), "\r\n")
	if err == nil && strings.TrimSpace(value) == "" {
		err = errEmpty
	}
	return value, err
}

// fileErrorText returns the message of an error about a file without its path.
func fileErrorText(err error) string {
	var pathErr *fs.PathError
	if errors.As(err, &pathErr) {
		return pathErr.Err.Error()
	}
	return err.Error()
}

// parse returns the Config of vars. A setting that cannot be parsed is reported and gets
// its default, so that later checks do not report it again.
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

// setDerived sets the defaults that depend on other settings.
func (c *Config) setDerived(vars map[string]string) {
	if c.PasswordMin == 0 && vars["PASSWORD_MIN_LENGTH"] != "0" {
		c.PasswordMin = c.defaultPasswordMin()
	}
}

// defaultPasswordMin returns 6 for an existing frontend, because its forms and texts say
// so, and 8 for the built-in page.
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

// reason returns the message of a parser's error, which follows the value in a sentence.
func reason(err error, s Setting) string {
	switch {
	case s.kind == reflect.Bool:
		return "is neither true nor false"
	case s.kind == reflect.Int:
		return "is not a whole number"
	}
	return err.Error()
}
