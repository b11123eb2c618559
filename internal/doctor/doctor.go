// Package doctor finds out what is wrong with an installation: with its database, Redis,
// clocks, disk and certificate, and with the way from a browser to its server.
//
// What it promises:
//
//   - Each check is one function that returns one Finding: in order, or what to do.
//   - It changes nothing but a row by which the database shows that it takes changes.
//   - A finding has no password, token or secret.
//   - A check that takes longer than two seconds is reported while it runs, and each ends in
//     time.
package doctor

import (
	"context"
	"crypto/x509"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"
	"time"

	"expenseflow/internal/config"
	"expenseflow/internal/operator"
	"expenseflow/models"
)

// A Status is the result of a check.
type Status string

// The results.
const (
	OK      Status = "ok"
	Warning Status = "warning" // it works, and something should be done
	Failed  Status = "failed"
	Skipped Status = "skipped" // there is nothing to check, or no way to
)

// A Finding is what a check found.
type Finding struct {
	Check  string `json:"check"`
	Status Status `json:"status"`
	Text   string `json:"text"`
	Fix    string `json:"fix,omitempty"` // what to do; never empty for Warning and Failed
}

func ok(format string, args ...any) Finding {
	return Finding{Status: OK, Text: fmt.Sprintf(format, args...)}
}

func skipped(text string) Finding { return Finding{Status: Skipped, Text: text} }

func failed(fix, format string, args ...any) Finding {
	return Finding{Status: Failed, Text: fmt.Sprintf(format, args...), Fix: fix}
}

func warning(fix, format string, args ...any) Finding {
	return Finding{Status: Warning, Text: fmt.Sprintf(format, args...), Fix: fix}
}

// Options says what to check.
type Options struct {
	Config *config.Config

	// URL is where browsers reach the server. Local is where this machine does, and Public
	// reports whether URL is another address than that.
	URL, Local *url.URL
	Public     bool

	// Origins are pages that have to be allowed to call.
	Origins []string

	// Key is the value of middleware.ArrivalHeader that the server accepts; "" if it is not
	// known, which NoKey explains.
	Key   string
	NoKey string

	// Database asks who has the database open. Overview asks the server how it is doing, and
	// returns the answer of GET /api/admin/overview; nil if it cannot be asked.
	Database func(ctx context.Context) (operator.Database, error)
	Overview func(ctx context.Context) (json.RawMessage, error)

	Now   func() time.Time // nil is time.Now
	Roots *x509.CertPool   // of authorities; nil are the system's
}

// A Check is a named function.
type Check struct {
	Name string
	Do   func(ctx context.Context) Finding
}

type doctor struct {
	Options
	database operator.Database
	answered bool // whether database is what the database answered
	// asked is when it was asked for its clock, and took how long that took.
	asked time.Time
	took  time.Duration
	// silent is whether nothing answers at URL; nil before it was asked.
	silent *bool
}

// Checks returns the checks in the order in which they have to run.
func Checks(o Options) []Check {
	if o.Now == nil {
		o.Now = time.Now
	}
	d := &doctor{Options: o}
	return []Check{
		{"settings", d.settings},
		{"database", d.checkDatabase},
		{"migrations", d.migrations},
		{"backup", d.backup},
		{"redis", d.redis},
		{"disk", d.disk},
		{"server", d.server},
		{"figures", d.figures},
		{"clock", d.clock},
		{"certificate", d.certificate},
		{"polling", d.unlessSilent(d.polling)},
		{"websocket", d.unlessSilent(d.websocket)},
		{"proxy", d.unlessSilent(d.proxy)},
		{"cors", d.unlessSilent(d.cors)},
	}
}

const (
	// patience is for how long a check may be silent, and pause how often it is reported
	// after that.
	patience = 2 * time.Second
	pause    = 5 * time.Second
	// atMost is how long a check may take. A large SQLite file is looked through for damage.
	atMost = 30 * time.Second
)

// Run runs the checks one after the other and calls found with each result. slow is called
// with a check that runs for longer than two seconds, and how long it has. It returns false
// if a check failed.
func Run(ctx context.Context, checks []Check, slow func(name string, after time.Duration), found func(Finding)) bool {
	good := true
	for _, c := range checks {
		f := c.run(ctx, slow)
		f.Check = c.Name
		good = good && f.Status != Failed
		found(f)
	}
	return good
}

func (c Check) run(ctx context.Context, slow func(name string, after time.Duration)) Finding {
	ctx, cancel := context.WithTimeout(ctx, atMost)
	defer cancel()
	result := make(chan Finding, 1)
	go func() { result <- c.Do(ctx) }()
	began, wait := time.Now(), patience
	for {
		select {
		case f := <-result:
			return f
		case <-time.After(wait):
			slow(c.Name, time.Since(began).Round(time.Second))
			wait = pause
		}
	}
}

// settings reports what Load found questionable.
func (d *doctor) settings(context.Context) Finding {
	set := 0
	for _, v := range d.Config.Effective() {
		if v.Set {
			set++
		}
	}
	if w := d.Config.Warnings; len(w) > 0 {
		return warning("expenseflow config shows what is in force", "%s", strings.Join(w, " "))
	}
	return ok("%d set, the others have their defaults", set)
}

// sentence returns the message of err, without causes if it has one for users.
func sentence(err error) string {
	if models.KindOf(err) == models.Internal {
		return unwrapURL(err).Error()
	}
	return models.Message(err)
}

// unwrapURL returns the cause of an error of a request, whose text repeats the address.
func unwrapURL(err error) error {
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return err
}
