package config

import (
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/oasdiff/yaml"
)

var update = flag.Bool("update", false, "write the tables of settings into docs/deploy/README.md and docs/configuration.md")

// table is the part of a page between these marks.
var table = regexp.MustCompile(`(?s)(<!-- settings -->\n).*?(<!-- /settings -->)`)

func TestPagesHaveTheSettingsOfTheStruct(t *testing.T) {
	for page, wanted := range map[string]func(Setting) bool{
		"docs/deploy/README.md": func(s Setting) bool { return s.Main },
		"docs/configuration.md": func(Setting) bool { return true },
	} {
		t.Run(page, func(t *testing.T) {
			path := filepath.Join("..", "..", filepath.FromSlash(page))
			text, err := os.ReadFile(path)
			if err != nil {
				t.Fatal(err)
			}
			want := table.ReplaceAllString(string(text), "${1}"+rows(wanted)+"${2}")
			if !table.Match(text) {
				t.Fatal("the page has no marks for the table")
			}
			if *update {
				if err := os.WriteFile(path, []byte(want), 0o644); err != nil {
					t.Fatal(err)
				}
			} else if diff := cmp.Diff(want, string(text)); diff != "" {
				t.Errorf("run: go test ./internal/config -run %s -update\n%s", t.Name(), diff)
			}
		})
	}
}

func rows(wanted func(Setting) bool) string {
	var b strings.Builder
	b.WriteString("| setting | default | |\n|---|---|---|\n")
	for _, s := range Settings() {
		if wanted(s) {
			fmt.Fprintf(&b, "| `%s` | %s | %s |\n", s.Name, code(s.Default), described(s))
		}
	}
	return b.String()
}

func code(s string) string {
	if s == "" {
		return ""
	}
	return "`" + s + "`"
}

// described is a setting's help with its values, where help does not name them.
func described(s Setting) string {
	text := s.Help
	if v := s.Values(); v != "" {
		text += " (" + v + ")"
	}
	return strings.ReplaceAll(text, "|", `\|`)
}

// exampleStart and exampleEnd stand around the settings of .env.example.
const (
	exampleStart = `# Settings of expenseflow. Copy this file to .env and take the # from what you set:
# the server reads .env in its working directory, and docker compose beside its
# files. What is not set has the default that stands here. A value with a $, a # or
# a space goes between single quotes.

# --- docker compose alone ---------------------------------------------------

# A frontend's folder, mounted read-only and served: public/ first if it has one.
#FRONTEND_DIR=../ExpenseFlow

# Of the database in docker-compose.yml: letters and digits, before the first start.
#POSTGRES_PASSWORD=expenseflow

# --- the server -------------------------------------------------------------
`
	notInContainers = "Not passed to the container by docker compose."
)

func TestTheExampleHasEverySetting(t *testing.T) {
	var b strings.Builder
	b.WriteString(exampleStart)
	for _, s := range Settings() {
		fmt.Fprintf(&b, "\n# %s.\n", strings.TrimSuffix(described(s), "."))
		if s.Name == "PORT" {
			b.WriteString("# With docker compose, the port on this machine.\n")
		} else if ofContainer(s.Name) {
			b.WriteString("# " + notInContainers + "\n")
		}
		fmt.Fprintf(&b, "#%s=%s\n", s.Name, s.example)
	}
	path := filepath.Join("..", "..", ".env.example")
	if *update {
		if err := os.WriteFile(path, []byte(b.String()), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(b.String(), string(text)); diff != "" {
		t.Errorf("run: go test ./internal/config -run %s -update\n%s", t.Name(), diff)
	}
	if _, ps := load(t, map[string]string{".env": string(text)}); len(ps) > 0 {
		t.Errorf("as it is, it is refused: %v", ps)
	}
}

// ofContainer reports whether a setting is the container's own: its address, its
// folders and the paths of files in it.
func ofContainer(name string) bool {
	return name == "PORT" || name == "HOST" || name == "DATA_DIR" || name == "STATIC_DIR" || strings.HasSuffix(name, "_FILE")
}

// Every setting in .env reaches the container, but for the container's own: a
// setting without a value in the compose file has the one of .env.
func TestDockerComposePassesEverySetting(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "compose.sqlite.yml"))
	if err != nil {
		t.Fatal(err)
	}
	block := regexp.MustCompile(`(?m)^    environment:\n((?:      .*\n)*)`).FindSubmatch(text)
	if block == nil {
		t.Fatal("it has no environment")
	}
	passed := map[string]string{}
	for line := range strings.Lines(string(block[1])) {
		name, value, _ := strings.Cut(strings.TrimSpace(line), ":")
		passed[name] = strings.TrimSpace(value)
	}
	for _, s := range Settings() {
		value, ok := passed[s.Name]
		delete(passed, s.Name)
		switch {
		case s.Name == "STATIC_DIR": // made of FRONTEND_DIR
			ok, value = !ok, strings.TrimPrefix(value, "${FRONTEND_DIR:+/frontend/public:/frontend}")
		case strings.HasPrefix(value, "${"+s.Name+":-"): // with a default of its own
			value = ""
		}
		if ok == ofContainer(s.Name) || value != "" {
			t.Errorf("%s: passed %v, with the value %q", s.Name, ok, value)
		}
	}
	if len(passed) > 0 {
		t.Errorf("it passes what is no setting: %v", passed)
	}
}

// shipped are the compose files.
var shipped = []string{"docker-compose.yml", "compose.sqlite.yml", "compose.cluster.yml"}

// composeService is what of a compose file's service is looked at here.
type composeService struct {
	Extends struct {
		File, Service string
	}
	Environment     map[string]string
	StopGracePeriod string `json:"stop_grace_period"`
}

// composeServices are the servers of a compose file, each with what it extends.
func composeServices(t *testing.T, file string) map[string]composeService {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", file))
	if err != nil {
		t.Fatal(err)
	}
	plain := strings.NewReplacer("!reset ", "", "!override ", "").Replace(string(text))
	var compose struct{ Services map[string]composeService }
	if _, err := yaml.Unmarshal([]byte(plain), &compose, yaml.DecodeOpts{}); err != nil {
		t.Fatalf("%s: %v", file, err)
	}
	servers := make(map[string]composeService)
	for name, s := range compose.Services {
		if !strings.HasPrefix(name, "app") {
			continue
		}
		if s.Extends.File != "" {
			base := composeServices(t, s.Extends.File)[s.Extends.Service]
			merged := maps.Clone(base.Environment)
			maps.Copy(merged, s.Environment)
			s.Environment = merged
			if s.StopGracePeriod == "" {
				s.StopGracePeriod = base.StopGracePeriod
			}
		}
		servers[name] = s
	}
	return servers
}

// value is a setting of a compose file's server: its own, the file's default, or ours.
func (s composeService) value(name string) string {
	text := s.Environment[name]
	if _, after, ok := strings.Cut(text, ":-"); ok {
		text = strings.TrimSuffix(after, "}")
	}
	if text == "" {
		for _, setting := range Settings() {
			if setting.Name == name {
				return setting.Default
			}
		}
	}
	return text
}

// Docker kills a server that takes longer than its grace period to stop.
func TestTheGraceOfEachComposeFileOutlastsTheShutdown(t *testing.T) {
	for _, file := range shipped {
		servers := composeServices(t, file)
		if len(servers) == 0 {
			t.Errorf("%s has no server", file)
		}
		for name, s := range servers {
			grace, err := time.ParseDuration(s.StopGracePeriod)
			if err != nil {
				t.Fatalf("%s, %s: %v", file, name, err)
			}
			var shutdown time.Duration
			for _, setting := range []string{"SHUTDOWN_DELAY", "DRAIN_SPREAD", "SHUTDOWN_TIMEOUT"} {
				d, err := time.ParseDuration(s.value(setting))
				if err != nil {
					t.Fatalf("%s, %s: %s: %v", file, name, setting, err)
				}
				shutdown += d
			}
			if grace <= shutdown {
				t.Errorf("%s, %s: a grace period of %v for a shutdown of %v", file, name, grace, shutdown)
			}
		}
	}
}

// The servers of compose.cluster.yml have one database, one Redis and one secret, which
// has to be given, and each an address of its own.
func TestTheClustersServersShareAllButTheirAddress(t *testing.T) {
	servers := composeServices(t, "compose.cluster.yml")
	if len(servers) != 3 {
		t.Fatalf("%d servers", len(servers))
	}
	known := make(map[string]bool)
	for _, s := range Settings() {
		known[s.Name] = true
	}
	shared := maps.Clone(servers["app1"].Environment)
	for name, s := range servers {
		own := maps.Clone(s.Environment)
		if own["ADVERTISE_URL"] != "http://"+name+":3000" {
			t.Errorf("%s advertises %q", name, own["ADVERTISE_URL"])
		}
		own["ADVERTISE_URL"] = shared["ADVERTISE_URL"]
		if diff := cmp.Diff(shared, own); diff != "" {
			t.Errorf("%s differs from app1:\n%s", name, diff)
		}
		if !strings.HasPrefix(own["JWT_SECRET"], "${JWT_SECRET:?") {
			t.Errorf("%s starts without JWT_SECRET: %q", name, own["JWT_SECRET"])
		}
		for setting := range own {
			if !known[setting] {
				t.Errorf("%s passes %s, which is no setting", name, setting)
			}
		}
	}
}
