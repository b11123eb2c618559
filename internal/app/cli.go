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
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"text/tabwriter"
	"time"

	"expenseflow/internal/config"
	"expenseflow/internal/ledger"
	"expenseflow/internal/observe"
	"expenseflow/internal/store"
	"expenseflow/models"
)

// Exit codes of the program.
const (
	exitOK      = 0
	exitFailed  = 1 // it ran, or was asked, and something went wrong
	exitRefused = 2 // it did not start: the configuration or its surroundings are wrong
)

// A Command is one call of the program.
type Command struct {
	Args           []string // without the program's name
	Environ        []string // as os.Environ gives it
	Stdout, Stderr io.Writer
}

// commands are what the first argument may be; none serves.
var commands = map[string]func(Command, context.Context) int{
	"serve":       Command.serve,
	"config":      Command.config,
	"epoch":       Command.epoch,
	"delete-user": Command.deleteUser,
	"healthcheck": Command.healthcheck,
	"version":     Command.version,
	"help":        Command.help,
}

// Run does what the arguments ask for until ctx ends and gives the exit code.
func (c Command) Run(ctx context.Context) int {
	name := "serve"
	if len(c.Args) > 0 {
		name = c.Args[0]
	}
	if slices.ContainsFunc(c.Args, func(arg string) bool { return arg == "--help" || arg == "-h" || arg == "-help" }) {
		name = "help"
	} else if name == "--version" {
		name = "version"
	}
	do, ok := commands[name]
	if !ok || (len(c.Args) > 1 && name != "help" && name != "delete-user") {
		fmt.Fprintf(c.Stderr, "expenseflow: %q is no command. Settings come from the environment; expenseflow help lists both.\n", strings.Join(c.Args, " "))
		return exitRefused
	}
	return do(c, ctx)
}

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

// config shows what is in force, secrets hidden.
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

// epoch begins a new life of the database, so that what devices remember of the
// old one means nothing. It is for backups that were restored.
func (c Command) epoch(ctx context.Context) int {
	cfg, err := config.Load(c.Environ)
	if err != nil {
		return c.refuse(err)
	}
	log := observe.NewLogger(c.Stderr, cfg.LogLevel, cfg.JSONLogs())
	epoch, err := newEpoch(ctx, storeOptions(cfg, log))
	if err != nil {
		fmt.Fprintf(c.Stderr, "There is no new epoch: %v\n", err)
		return exitFailed
	}
	fmt.Fprintf(c.Stdout, "new epoch %s: start the servers again, every device begins anew\n", epoch)
	return exitOK
}

// deleteUser removes the account of an address and all that is its user's, as
// DELETE /api/user does. With SQLite the server has to be stopped; with PostgreSQL its
// sockets hear of it within a second.
func (c Command) deleteUser(ctx context.Context) int {
	if len(c.Args) != 2 {
		fmt.Fprintln(c.Stderr, "expenseflow delete-user needs one argument: the e-mail address of the account.")
		return exitRefused
	}
	cfg, err := config.Load(c.Environ)
	if err != nil {
		return c.refuse(err)
	}
	log := observe.NewLogger(c.Stderr, cfg.LogLevel, cfg.JSONLogs())
	if err := removeUser(ctx, storeOptions(cfg, log), c.Args[1]); err != nil {
		fmt.Fprintf(c.Stderr, "Nothing was deleted: %v\n", err)
		return exitFailed
	}
	fmt.Fprintln(c.Stdout, "deleted the account and everything in it")
	return exitOK
}

func removeUser(ctx context.Context, o store.Options, email string) error {
	return onDatabase(ctx, o, func(s *store.Store) error {
		u, err := s.UserByEmail(ctx, models.NormalizeEmail(email))
		if err != nil {
			return err
		}
		return ledger.New(s, nil, ledger.Options{}).RemoveAccount(ctx, u.ID)
	})
}

// onDatabase runs do on a database that is there already: Open would make one.
func onDatabase(ctx context.Context, o store.Options, do func(*store.Store) error) (err error) {
	if _, err := os.Stat(o.URL); err != nil && !strings.Contains(o.URL, "://") {
		return fmt.Errorf("there is no database: %w", err)
	}
	s, err := store.Open(ctx, o)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return do(s)
}

func newEpoch(ctx context.Context, o store.Options) (epoch string, err error) {
	if _, err := os.Stat(o.URL); err != nil && !strings.Contains(o.URL, "://") {
		return "", fmt.Errorf("no database is restored there yet: %w", err) // Open would make one
	}
	s, err := store.Open(ctx, o)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return s.NewEpoch(ctx)
}

// healthPatience bounds a health check, which containers repeat.
const healthPatience = 4 * time.Second

// healthcheck asks the server of the same configuration whether it is ready.
func (c Command) healthcheck(ctx context.Context) int {
	cfg, _ := config.Load(c.Environ) // a server that runs has found nothing wrong with it
	ctx, cancel := context.WithTimeout(ctx, healthPatience)
	defer cancel()
	if err := askReady(ctx, cfg); err != nil {
		fmt.Fprintf(c.Stderr, "not ready: %v\n", err)
		return exitFailed
	}
	fmt.Fprintln(c.Stdout, "ready")
	return exitOK
}

func askReady(ctx context.Context, cfg config.Config) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, readyURL(cfg), nil)
	if err != nil {
		return err
	}
	// The server asked is this machine's own, whatever name its certificate has.
	client := &http.Client{Transport: &http.Transport{TLSClientConfig: &tls.Config{InsecureSkipVerify: true}, DisableKeepAlives: true}}
	res, err := client.Do(req)
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

func readyURL(cfg config.Config) string {
	host := cfg.Host
	if ip := net.ParseIP(host); host == "" || ip.IsUnspecified() {
		host = "127.0.0.1"
	}
	scheme := "http"
	if cfg.TLSCertFile != "" {
		scheme = "https"
	}
	return scheme + "://" + net.JoinHostPort(host, strconv.Itoa(cfg.Port)) + "/readyz"
}

func (c Command) version(context.Context) int {
	fmt.Fprintln(c.Stdout, Version())
	return exitOK
}

// Version names the build: its module version, revision and compiler.
func Version() string {
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "expenseflow (unknown build)"
	}
	text := "expenseflow " + info.Main.Version
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" || (s.Key == "vcs.modified" && s.Value == "true") {
			text += " " + strings.TrimPrefix(s.Key, "vcs.") + "=" + s.Value
		}
	}
	return text + " " + info.GoVersion
}

const helpStart = `expenseflow serves accounts, expenses, offline sync and live events to the
ExpenseFlow frontend, on http://localhost:3000 unless told otherwise.

  expenseflow               serve until Ctrl-C or SIGTERM
  expenseflow config        show the settings in force, secrets hidden
  expenseflow epoch         run once after a backup was restored, servers stopped:
                            devices then begin anew instead of trusting positions
                            in a log that is another now (docs/operations.md)
  expenseflow delete-user EMAIL
                            delete an account and everything in it; with the
                            embedded database the server has to be stopped first
  expenseflow healthcheck   exit 0 if the server of these settings is ready
  expenseflow version       name this build
  expenseflow help          this text

It needs no setting: without any it keeps its data in the folder data/. Settings
come from the environment or from a file .env with lines of NAME=value:

  PORT=8080 expenseflow
  DATABASE_URL=postgres://user:password@localhost:5432/expenseflow expenseflow
  STATIC_DIR=../ExpenseFlow/public:../ExpenseFlow expenseflow    # an existing frontend
  NODE_ENV=production JWT_SECRET_FILE=/run/secrets/jwt expenseflow

`

func (c Command) help(context.Context) int {
	fmt.Fprint(c.Stdout, helpStart)
	for _, s := range config.Settings() {
		fmt.Fprintf(c.Stdout, "  %s\n      %s%s\n", s.Name, s.Help, details(s))
	}
	return exitOK
}

// details are a setting's values and default, in brackets.
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
