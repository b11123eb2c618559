package app

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"expenseflow/internal/config"
	"expenseflow/internal/observe"
	"expenseflow/internal/store"
)

// Exit codes of the program.
const (
	exitOK      = 0
	exitFailed  = 1 // the command ran and failed
	exitRefused = 2 // the command did not run: its arguments, the configuration or the system are wrong
)

// A Command is one call of the program on the command line.
type Command struct {
	Args           []string // without the program's name
	Environ        []string // as os.Environ gives it
	Stdin          io.Reader
	Stdout, Stderr io.Writer
}

// A verb is a value of the first argument.
type verb struct {
	run func(Command, context.Context) int

	// help is what --help prints for a verb with arguments of its own, which run reads. The
	// others take none, and have the help of the program.
	help string
}

// verbs are the values of the first argument; without one the program serves.
var verbs = map[string]verb{
	"serve":       {run: Command.serve},
	"config":      {run: Command.config},
	"epoch":       {run: Command.epoch},
	"restore":     {Command.restore, restoreHelp},
	"move":        {Command.move, moveHelp},
	"backup":      {Command.backup, backupHelp},
	"demo":        {Command.demo, demoHelp},
	"doctor":      {Command.doctor, doctorHelp},
	"import":      {Command.importFrom, importHelp + importFileHelp},
	"export":      {Command.export, exportHelp},
	"users":       {Command.users, usersHelp},
	"token":       {Command.token, tokenHelp},
	"healthcheck": {run: Command.healthcheck},
	"version":     {run: Command.version},
}

// Run runs the command until it is done or ctx ends, and returns the exit code.
func (c Command) Run(ctx context.Context) int {
	name := "serve"
	if len(c.Args) > 0 {
		name = c.Args[0]
	}
	if name == "--version" {
		name = "version"
	}
	v, known := verbs[name]
	switch {
	case slices.ContainsFunc(c.Args, isHelpFlag):
		return c.printHelp(v.help)
	case name == "help" && len(c.Args) > 1:
		return c.printHelp(verbs[c.Args[1]].help)
	case name == "help":
		return c.printHelp("")
	case known && (len(c.Args) <= 1 || v.help != ""):
		return v.run(c, ctx)
	case name == "delete-user":
		fmt.Fprintln(c.Stderr, "expenseflow delete-user has become: expenseflow users delete EMAIL --yes")
		return exitRefused
	}
	fmt.Fprintf(c.Stderr, "expenseflow: %q is no command. Settings come from the environment; expenseflow help lists both.\n",
		strings.Join(c.Args, " "))
	return exitRefused
}

func isHelpFlag(arg string) bool { return arg == "--help" || arg == "-h" || arg == "-help" }

func (c Command) serve(ctx context.Context) int {
	cfg, err := config.Load(c.Environ)
	if err != nil {
		return c.refuse(err)
	}
	log := observe.NewLogger(c.Stderr, cfg.LogLevel, cfg.JSONLogs())
	for _, w := range cfg.Warnings {
		log.Warn(w)
	}
	a, err := New(ctx, cfg, log)
	switch {
	case ctx.Err() != nil && err != nil:
		return exitOK // stopped before it began
	case err != nil:
		return c.refuse(err)
	}
	if err := a.Run(ctx); err != nil {
		log.Error("expenseflow ended: " + err.Error())
		return exitFailed
	}
	return exitOK
}

func (c Command) refuse(err error) int {
	fmt.Fprintf(c.Stderr, "expenseflow cannot start: %v\n", err)
	return exitRefused
}

// config prints the settings in force, without secrets.
func (c Command) config(context.Context) int {
	cfg, err := config.Load(c.Environ)
	w := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', 0)
	for _, v := range cfg.Effective() {
		origin := "default"
		if v.Set {
			origin = "set"
		}
		fmt.Fprintf(w, "%s\t%s\t%s\n", v.Name, v.Text, origin)
	}
	_ = w.Flush() // what cannot be written has nobody to tell
	for _, warning := range cfg.Warnings {
		fmt.Fprintln(c.Stderr, "warning: "+warning)
	}
	if err != nil {
		return c.refuse(err)
	}
	return exitOK
}

// epoch begins a new epoch of the database: what devices know of the one before means
// nothing. It is for backups that were restored.
func (c Command) epoch(ctx context.Context) int {
	cfg, err := config.Load(c.Environ)
	if err != nil {
		return c.refuse(err)
	}
	log := observe.NewLogger(c.Stderr, cfg.LogLevel, cfg.JSONLogs())
	var epoch string
	err = withDatabase(ctx, storeOptions(cfg, log), "no database is restored there yet", func(s *store.Store) (err error) {
		epoch, err = s.NewEpoch(ctx)
		return err
	})
	if err != nil {
		fmt.Fprintf(c.Stderr, "There is no new epoch: %v\n", err)
		return exitFailed
	}
	fmt.Fprintf(c.Stdout, "new epoch %s: start the servers again, every device begins anew\n", epoch)
	return exitOK
}

// withDatabase calls do with a database that exists already: Open would create one. If it
// does not exist, the error begins with missing.
func withDatabase(ctx context.Context, o store.Options, missing string, do func(*store.Store) error) (err error) {
	if _, err := os.Stat(o.URL); err != nil && !strings.Contains(o.URL, "://") {
		return fmt.Errorf("%s: %w", missing, err)
	}
	s, err := store.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return do(s)
}

// healthTimeout bounds a health check, which containers repeat.
const healthTimeout = 4 * time.Second

// healthcheck asks the server with the same configuration whether it is ready.
func (c Command) healthcheck(ctx context.Context) int {
	cfg, _ := config.Load(c.Environ) // the server runs, so its configuration is valid
	ctx, cancel := context.WithTimeout(ctx, healthTimeout)
	defer cancel()
	if err := askReady(ctx, cfg); err != nil {
		fmt.Fprintf(c.Stderr, "not ready: %v\n", err)
		return exitFailed
	}
	fmt.Fprintln(c.Stdout, "ready")
	return exitOK
}

func askReady(ctx context.Context, cfg config.Config) error {
	res, err := getLocal(ctx, &cfg, "/readyz", nil)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode == http.StatusOK {
		return nil
	}
	var report struct{ Checks map[string]string }
	_ = json.NewDecoder(res.Body).Decode(&report) // without it the number says enough
	return fmt.Errorf("status %d, checks %v", res.StatusCode, report.Checks)
}

// getLocal sends a request to the server with the same configuration.
func getLocal(ctx context.Context, cfg *config.Config, path string, header http.Header) (*http.Response, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, localURL(cfg)+path, nil)
	if err != nil {
		return nil, err
	}
	req.Header = header
	// The server is on this machine, whatever name its certificate has.
	client := &http.Client{Transport: &http.Transport{
		TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true,
	}}
	return client.Do(req)
}

func localURL(cfg *config.Config) string {
	host := cfg.Host
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "http"
	if cfg.HTTPS() {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(cfg.Port)) + string(cfg.BasePath)
}

func (c Command) version(context.Context) int {
	fmt.Fprintln(c.Stdout, describeBuild())
	return exitOK
}

const helpStart = `expenseflow serves accounts, expenses, offline sync and live events to the
ExpenseFlow frontend, on http://localhost:3000 unless told otherwise.

  expenseflow               serve until Ctrl-C or SIGTERM
  expenseflow demo          serve two devices side by side with a year of made-up
                            entries, apart from any other data
  expenseflow config        show the settings in force, secrets hidden
  expenseflow epoch         run once after a backup was restored by other means than
                            restore, servers stopped: devices then begin anew instead of trusting positions
                            in a log that is another now (docs/operations.md)
  expenseflow doctor        find out what is wrong with database, clock, disk,
                            certificate or proxy, and what to do
  expenseflow backup        write a backup, verified, also beside a running server;
                            --every 24h --keep 7 goes on doing so
  expenseflow restore FILE  put a backup in the place of the database, servers stopped;
                            devices then begin anew
  expenseflow move --to DB  copy everything into another, empty database, SQLite or
                            PostgreSQL, servers stopped; devices notice nothing
  expenseflow users         list accounts, make one, reset a password, sign an
                            account out, delete it; also beside a running server
  expenseflow import        bring in the data of an ExpenseFlow on MongoDB from a dump
                            (import mongo), the file of a bank or of another program
                            (import file) or an export (import json); also beside a
                            running server
  expenseflow export EMAIL  write everything that an account has, as JSON or CSV
  expenseflow token EMAIL   make a token of an account, for development
  expenseflow healthcheck   exit 0 if the server of these settings is ready
  expenseflow version       show release, revision and compiler (--version too)
  expenseflow help          this text; expenseflow users --help explains users

It needs no setting: without any it keeps its data in the folder data/. Settings
come from the environment or from a file .env with lines of NAME=value:

  PORT=8080 expenseflow
  DATABASE_URL=postgres://user:password@localhost:5432/expenseflow expenseflow
  STATIC_DIR=../ExpenseFlow/public:../ExpenseFlow expenseflow    # an existing frontend
  NODE_ENV=production JWT_SECRET_FILE=/run/secrets/jwt expenseflow

`

// printHelp prints the help of a verb, or of the program if there is none.
func (c Command) printHelp(ofVerb string) int {
	if ofVerb != "" {
		fmt.Fprint(c.Stdout, ofVerb)
		return exitOK
	}
	fmt.Fprint(c.Stdout, helpStart)
	for _, s := range config.Settings() {
		fmt.Fprintf(c.Stdout, "  %s\n      %s%s\n", s.Name, s.Help, details(s))
	}
	return exitOK
}

// details returns a setting's values and default, in parentheses.
func details(s config.Setting) string {
	var parts []string
	if v := s.Values(); v != "" {
		parts = append(parts, v)
	}
	if s.Default != "" {
		parts = append(parts, "default "+s.Default)
	}
	if s.Secret {
		parts = append(parts, s.Name+"_FILE may name a file with it")
	}
	if len(parts) == 0 {
		return ""
	}
	return " (" + strings.Join(parts, "; ") + ")"
}
