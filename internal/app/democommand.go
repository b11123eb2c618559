package app

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sync/errgroup"

	"expenseflow/internal/auth"
	"expenseflow/internal/config"
	"expenseflow/internal/demo"
	"expenseflow/internal/ledger"
	"expenseflow/internal/observe"
	"expenseflow/models"
)

const demoHelp = `expenseflow demo shows the program with a year of somebody's entries in it.

  expenseflow demo        serve two devices of one account side by side, until Ctrl-C
  --port 8080             listen on port 8080, and on 8081 for the second device;
                          without it on two free ports
  --dir DIR               keep everything in the folder DIR, which must be empty or
                          missing; without it a temporary one, removed at the end
  --seed 7                another year: the same number makes the same entries

It reads no setting and touches no other data: neither the environment nor .env has a
say, and it listens on this machine alone. What it prints is the address of the page
with both devices, and an account to sign in with.

  expenseflow demo --dir /tmp/year && DATA_DIR=/tmp/year expenseflow
`

// A demoCall is one call of demo.
type demoCall struct {
	Command
	port int
	dir  string
	seed uint64

	temporary bool // dir is to be removed
	password  string
	began     time.Time
}

// demo serves an account that is filled with made-up entries.
func (c Command) demo(ctx context.Context) (code int) {
	call, flags := &demoCall{Command: c, began: time.Now()}, newFlags()
	flags.IntVar(&call.port, "port", 0, "")
	flags.StringVar(&call.dir, "dir", "", "")
	flags.Uint64Var(&call.seed, "seed", 1, "")
	args, err := parseFlags(flags, c.Args[1:])
	switch {
	case err != nil:
		return c.misused(err.Error() + ".")
	case len(args) > 0:
		return c.misused(fmt.Sprintf("%q is one argument too many.", args[0]))
	case call.port < 0 || call.port >= 1<<16-1:
		return c.misused(fmt.Sprintf("--port %d is no port that has another one after it.", call.port))
	}
	if err := call.openFolder(); err != nil {
		return c.refuse(err)
	}
	defer func() {
		if err := call.closeFolder(); err != nil {
			fmt.Fprintf(c.Stderr, "expenseflow demo: %v\n", err)
			code = exitFailed
		}
	}()
	return call.serve(ctx)
}

// openFolder makes the folder of the demo, or refuses one with something in it.
func (d *demoCall) openFolder() (err error) {
	if d.dir == "" {
		d.temporary = true
		d.dir, err = os.MkdirTemp("", "expenseflow-demo-")
		return err
	}
	if err := os.MkdirAll(d.dir, 0o750); err != nil {
		return err
	}
	found, err := os.ReadDir(d.dir)
	if err == nil && len(found) > 0 {
		err = fmt.Errorf("--dir %s is not empty: the demo fills a folder of its own", d.dir)
	}
	return err
}

func (d *demoCall) closeFolder() error {
	if !d.temporary {
		return nil
	}
	return os.RemoveAll(d.dir)
}

// settings are those of the demo, whatever the environment and .env say.
func (d *demoCall) settings() (config.Config, error) {
	var environ []string
	for _, s := range config.Settings() { // an empty one is not set
		environ = append(environ, s.Name+"=", s.Name+"_FILE=")
	}
	return config.Load(append(environ,
		"HOST=127.0.0.1", "PORT="+strconv.Itoa(d.port), "DATA_DIR="+d.dir,
		"LOG_LEVEL=warn", "SQLITE_SYNC=normal", "SHUTDOWN_DELAY=0", "DRAIN_SPREAD=0", "SHUTDOWN_TIMEOUT=3s"))
}

// serve fills the account and serves it until ctx ends.
func (d *demoCall) serve(ctx context.Context) int {
	cfg, err := d.settings()
	if err != nil {
		return d.refuse(err)
	}
	a, err := New(ctx, cfg, observe.NewLogger(d.Stderr, cfg.LogLevel, false))
	switch {
	case ctx.Err() != nil && err != nil:
		return exitOK // stopped before it began
	case err != nil:
		return d.refuse(byFlag(err))
	}
	page, entries, err := d.prepare(ctx, a)
	switch {
	case ctx.Err() != nil && err != nil:
		return d.abandon(a, nil)
	case err != nil:
		return d.abandon(a, byFlag(err))
	}
	d.greet(a, entries)
	return d.run(ctx, a, page)
}

// byFlag names the flag in an error that names the setting of other servers.
func byFlag(err error) error {
	return errors.New(strings.Replace(err.Error(), "set PORT to another", "give --port another", 1))
}

// abandon closes what New opened.
func (d *demoCall) abandon(a *App, why error) int {
	if err := errors.Join(why, a.closeAll()); err != nil {
		return d.refuse(err)
	}
	return exitOK
}

// prepare fills the database and puts the page of the demo before the program.
func (d *demoCall) prepare(ctx context.Context, a *App) (*demo.Page, int, error) {
	_, port, _ := net.SplitHostPort(a.Addr())
	second := 0
	if d.port != 0 {
		second = d.port + 1
	}
	ln, err := listen(a.cfg.Host, second)
	if err != nil {
		return nil, 0, err
	}
	entries, err := d.fill(ctx, a)
	if err != nil {
		return nil, 0, errors.Join(err, ln.Close())
	}
	page := &demo.Page{Password: d.password, Port: port, Phone: demo.NewLine(ln)}
	a.http.Handler = page.Handler(a.http.Handler)
	return page, entries, nil
}

// fill makes the accounts.
func (d *demoCall) fill(ctx context.Context, a *App) (entries int, err error) {
	d.password = rand.Text()[:passwordLength]
	told := d.began
	return demo.Fill(ctx, demo.Options{
		Ledger:   ledger.New(a.store, nil, ledger.Options{}),
		Accounts: ledger.NewAccounts(a.store, auth.NewHasher(processors()), passwordRules(&a.cfg)),
		Password: d.password, Seed: d.seed, Today: models.DayOf(d.began, time.Local),
		Progress: func(done, all int) {
			if time.Since(told) >= slowDemo {
				told = time.Now()
				fmt.Fprintf(d.Stderr, "filling the account: %d of %d entries\n", done, all)
			}
		},
	})
}

// passwordLength is that of the password, which people type.
const passwordLength = 12

// slowDemo is how long the demo prepares itself before it says how far it is.
const slowDemo = 2 * time.Second

// greet says where the demo is.
func (d *demoCall) greet(a *App, entries int) {
	fmt.Fprintf(d.Stdout, `%s has a year of %d entries, made in %.1f s.

  two devices side by side  %s/demo
  the page alone            %s
  sign in with              %s or %s, password %s

`, demo.Name, entries, time.Since(d.began).Seconds(), a.URL(), a.URL(), demo.Email, demo.SecondEmail, d.password)
	if d.temporary {
		fmt.Fprintln(d.Stdout, "Ctrl-C ends the demo and removes everything in it.")
	} else {
		fmt.Fprintf(d.Stdout, "Ctrl-C ends the demo. Its data stays: DATA_DIR=%s expenseflow serves it again.\n", d.dir)
	}
}

// run serves both ports until ctx ends.
func (d *demoCall) run(ctx context.Context, a *App, page *demo.Page) int {
	phone := a.server(a.http.Handler)
	g, ctx := errgroup.WithContext(ctx)
	g.Go(func() error { return a.Run(ctx) })
	g.Go(func() error { return serve(phone, a.connections.listener(page.Phone)) })
	g.Go(func() error {
		<-ctx.Done()
		return phone.Close()
	})
	if err := g.Wait(); err != nil {
		a.log.Error("the demo ended", slog.Any("error", err))
		return exitFailed
	}
	return exitOK
}
