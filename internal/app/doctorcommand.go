package app

import (
	"context"
	"crypto/hmac"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"slices"
	"time"

	"expenseflow/internal/config"
	"expenseflow/internal/doctor"
	"expenseflow/internal/keyring"
	"expenseflow/internal/observe"
	"expenseflow/internal/operator"
	"expenseflow/internal/store"
)

const doctorHelp = `expenseflow doctor checks an installation and says what to do. Run it where the server
runs, with the settings of the server.

  expenseflow doctor                      check what this machine can
  --url https://money.example.org         check the way of browsers too: give the address
                                          that they use
  --origin https://app.example.org        whether pages of that site may call, instead of
                                          those of FRONTEND_URL; more than once for several
  --json                                  print {"ok", "findings": [{"check", "status",
                                          "text", "fix"}]}

What it checks, one line each: the settings, the database and its schema, Redis, the disk
of the embedded database, whether the server is ready and what it logged, the clock, the
certificate, whether sockets open by polling and by WebSocket, whether a proxy passes
address, protocol and host of clients, and whether pages of other sites may call.

A line is ok, warning (it works, and something should be done), failed, or skipped. The
exit code is 1 if any failed. Nothing is changed.

  docker compose exec app /expenseflow doctor --url https://money.example.org
  expenseflow doctor --json | jq -r '.findings[] | select(.status == "failed") | .fix'
`

// A doctorCall is one call of doctor.
type doctorCall struct {
	Command
	url     string
	origins []string
	json    bool
}

// doctor checks the installation.
func (c Command) doctor(ctx context.Context) int {
	call, flags := &doctorCall{Command: c}, newFlags()
	flags.StringVar(&call.url, "url", "", "")
	flags.BoolVar(&call.json, "json", false, "")
	flags.Func("origin", "", func(origin string) error {
		call.origins = append(call.origins, origin)
		return nil
	})
	args, err := parseFlags(flags, c.Args[1:])
	if err != nil {
		return c.misused(err.Error() + ".")
	}
	if len(args) > 0 {
		return c.misused(fmt.Sprintf("%q is one argument too many.", args[0]))
	}
	cfg, err := config.Load(c.Environ)
	if err != nil {
		return c.refuse(err)
	}
	o, err := call.options(&cfg)
	if err != nil {
		return c.misused(err.Error())
	}
	return call.run(ctx, doctor.Checks(o))
}

func (d *doctorCall) run(ctx context.Context, checks []doctor.Check) int {
	report := struct {
		OK       bool             `json:"ok"`
		Findings []doctor.Finding `json:"findings"`
	}{}
	slow := func(name string, after time.Duration) {
		fmt.Fprintf(d.Stderr, "checking %s, for %v so far\n", name, after)
	}
	report.OK = doctor.Run(ctx, checks, slow, func(f doctor.Finding) {
		report.Findings = append(report.Findings, f)
		if !d.json {
			d.show(f)
		}
	})
	if d.json {
		_ = d.printJSON(report) // what cannot be written has nobody to tell
	}
	if !report.OK {
		return exitFailed
	}
	return exitOK
}

func (d *doctorCall) show(f doctor.Finding) {
	fmt.Fprintf(d.Stdout, "%-8s %-12s %s\n", f.Status, f.Check, printable(f.Text))
	if f.Fix != "" {
		fmt.Fprintf(d.Stdout, "%-8s %-12s → %s\n", "", "", printable(f.Fix))
	}
}

// options are those of the checks of these settings.
func (d *doctorCall) options(cfg *config.Config) (doctor.Options, error) {
	local, err := url.Parse(localURL(cfg))
	if err != nil {
		return doctor.Options{}, err
	}
	o := doctor.Options{Config: cfg, URL: local, Local: local, Origins: d.origins}
	if d.url != "" {
		if o.URL, err = url.Parse(d.url); err != nil || o.URL.Host == "" || (o.URL.Scheme != "https" && o.URL.Scheme != "http") {
			return o, fmt.Errorf("--url %s is no address such as https://money.example.org", d.url)
		}
		o.Public = true
	}
	if len(o.Origins) == 0 {
		o.Origins = cfg.FrontendURL
	}
	if ring, err := storedSecrets(cfg); err != nil {
		o.NoKey = "the server would not believe the question: " + sentence(err)
	} else {
		o.Key = doctorKeys(ring)[0]
	}
	o.Database, o.Overview = d.askDatabase(cfg), d.askOverview(cfg)
	return o, nil
}

// arrivalKeys are the values of middleware.ArrivalHeader that a server accepts.
type arrivalKeys []string

// valid reports whether key is one of them. They are compared in constant time.
func (k arrivalKeys) valid(key string) bool {
	return slices.ContainsFunc(k, func(known string) bool { return hmac.Equal([]byte(known), []byte(key)) })
}

// doctorKeys returns the keys of servers with these secrets. They open nothing else, so they
// may go to whoever answers at the public address.
func doctorKeys(ring keyring.Ring) (keys arrivalKeys) {
	for _, key := range ring.Derive("expenseflow doctor") {
		keys = append(keys, hex.EncodeToString(key))
	}
	return keys
}

// askDatabase returns the function that asks who has the database open.
func (d *doctorCall) askDatabase(cfg *config.Config) func(context.Context) (operator.Database, error) {
	log := observe.NewLogger(d.Stderr, "error", cfg.JSONLogs())
	return func(ctx context.Context) (found operator.Database, err error) {
		err = askOperator(ctx, cfg, log, func(client *operator.Client) (err error) {
			found, err = client.Database(ctx)
			return err
		})
		var schema *store.SchemaError
		if errors.As(err, &schema) {
			return operator.Database{Dialect: dialect(cfg), Schema: sentence(err)}, nil
		}
		return found, err
	}
}

func dialect(cfg *config.Config) string {
	if cfg.OnPostgres() {
		return "postgres"
	}
	return "sqlite"
}

// askOverview returns the function that asks the server how it is doing: over its socket, or
// over HTTP where it has none. It is nil if the server would not answer.
func (d *doctorCall) askOverview(cfg *config.Config) func(context.Context) (json.RawMessage, error) {
	switch {
	case cfg.OnPostgres() && cfg.AdminToken == "":
		return nil
	case cfg.OnPostgres():
		return func(ctx context.Context) (json.RawMessage, error) { return getOverview(ctx, cfg) }
	}
	log := observe.NewLogger(d.Stderr, "error", cfg.JSONLogs())
	return func(ctx context.Context) (document json.RawMessage, err error) {
		err = askOperator(ctx, cfg, log, func(client *operator.Client) (err error) {
			document, err = client.Overview(ctx)
			return err
		})
		return document, err
	}
}

// getOverview asks the server on this machine for GET /api/admin/overview.
func getOverview(ctx context.Context, cfg *config.Config) (json.RawMessage, error) {
	header := http.Header{"Authorization": {"Bearer " + cfg.AdminToken.Reveal()}}
	res, err := getLocal(ctx, cfg, "/api/admin/overview", header)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers with status %d", res.StatusCode)
	}
	return io.ReadAll(io.LimitReader(res.Body, maxOverview))
}

// maxOverview bounds what is read of an overview.
const maxOverview = 1 << 20
