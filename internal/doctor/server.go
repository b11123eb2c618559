package doctor

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"
)

// server reports whether the server of these settings is ready.
func (d *doctor) server(ctx context.Context) Finding {
	res, err := d.get(ctx, d.Local.JoinPath("/readyz").String(), nil)
	if err != nil {
		return failed("start it: expenseflow. If it runs elsewhere, run this command there", "nothing answers at %s: %s", d.Local,
			sentence(err))
	}
	defer res.Body.Close()
	var report struct{ Checks map[string]string }
	if err := json.NewDecoder(res.Body).Decode(&report); err != nil || len(report.Checks) == 0 {
		return failed("stop what has its port, or set PORT to another", "what answers at %s is another program", d.Local)
	}
	var bad, starting []string
	for _, name := range slices.Sorted(maps.Keys(report.Checks)) {
		switch state := report.Checks[name]; state {
		case "ok":
		case "connecting":
			starting = append(starting, name)
		default:
			bad = append(bad, name+" is "+state)
		}
	}
	const fix = "docs/operations.md#what-readiness-and-metrics-say has what to do for each"
	switch text := strings.Join(bad, ", "); {
	case res.StatusCode != http.StatusOK:
		return failed(fix, "%s is not ready: %s", d.Local, text)
	case text != "":
		return warning(fix, "%s is ready, though %s", d.Local, text)
	}
	if len(starting) > 0 {
		return ok("%s is ready; it has just started and still connects its %s", d.Local, strings.Join(starting, ", "))
	}
	return ok("%s is ready", d.Local)
}

// recently is how old an error of the server may be to be reported.
const recently = time.Hour

// An overview is what is read of the answer of GET /api/admin/overview.
type overview struct {
	Process struct{ Version string }
	Sockets struct{ Open, Users, Slow int }
	Parked  *int64
	Errors  []loggedError `json:"lastErrors"`
}

type loggedError struct {
	At      time.Time
	Message string
}

// figures reports how the server is doing.
func (d *doctor) figures(ctx context.Context) Finding {
	if d.Overview == nil {
		return skipped("with PostgreSQL the server tells its figures who has ADMIN_TOKEN, which is not set")
	}
	var o overview
	document, err := d.Overview(ctx)
	if err == nil {
		err = json.Unmarshal(document, &o)
	}
	if err != nil {
		return skipped("the server does not tell its figures: " + sentence(err))
	}
	text := fmt.Sprintf("version %s, %d sockets of %d users, %d slow", o.Process.Version, o.Sockets.Open, o.Sockets.Users,
		o.Sockets.Slow)
	if o.Parked != nil {
		text += fmt.Sprintf(", %d parked operations", *o.Parked)
	}
	recent := slices.IndexFunc(o.Errors, func(e loggedError) bool { return d.Now().Sub(e.At) < recently })
	if recent >= 0 {
		return warning("see the lines of level ERROR in the server's log", "%s; within the hour it logged the error %q", text,
			o.Errors[recent].Message)
	}
	return ok("%s", text)
}
