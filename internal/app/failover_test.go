package app

import (
	"fmt"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/testneed"
)

// A device keeps a copy of the expenses by GET /api/sync/changes.
type device struct {
	r     *running
	token string
	next  string
	rows  []string // descriptions
}

// catchUp asks until there is nothing more.
func (d *device) catchUp() {
	d.r.t.Helper()
	for more := true; more; {
		a := d.r.call("GET", "/api/sync/changes?since="+url.QueryEscape(d.next), d.token, "")
		if a.code != 200 {
			d.r.t.Fatalf("changes: %d %s", a.code, a.body)
		}
		if strings.Contains(a.body, `"snapshot":true`) {
			d.rows = nil
		}
		d.rows = append(d.rows, described(a.body)...)
		d.next, more = a.field("next"), strings.Contains(a.body, `"more":true`)
	}
}

// described returns the descriptions in a document, in order.
func described(body string) (out []string) {
	for _, part := range strings.Split(body, `"description":"`)[1:] {
		text, _, _ := strings.Cut(part, `"`)
		out = append(out, text)
	}
	return out
}

func (r *running) say(token, description string) answer {
	return r.call("POST", "/api/expenses", token, fmt.Sprintf(`{"description":%q,"amount":1,"category":"food","type":"expense"}`,
		description))
}

func (r *running) ready() int { return r.call("GET", "/readyz", "", "").code }

// within waits until a condition holds.
func (r *running) within(d time.Duration, what string, is func() bool) {
	r.t.Helper()
	for deadline := time.Now().Add(d); !is(); time.Sleep(50 * time.Millisecond) {
		if time.Now().After(deadline) {
			r.t.Fatalf("not within %v: %s", d, what)
		}
	}
}

// A primary with a streaming standby, asynchronous and synchronous: the primary dies, the
// standby is promoted, and without a restart writes go on, readiness follows, and every
// device ends equal to the server.
func TestDevicesEndEqualAfterAFailover(t *testing.T) {
	for name, synchronous := range map[string]bool{"asynchronous": false, "synchronous": true} {
		t.Run(name, func(t *testing.T) {
			primary := testneed.NewPostgres(t)
			standby := primary.Standby(t, synchronous)
			r := start(t, "DATABASE_URL="+testneed.SeveralHosts(primary, standby), fmt.Sprintf("FAILOVER_LOSSLESS=%v", synchronous))
			alice := r.register("alice@example.org")
			d := &device{r: r, token: alice}
			for i := range 5 {
				r.say(alice, fmt.Sprintf("kept %d", i))
			}
			if !synchronous {
				r.within(patience, "the standby has all of it", func() bool { return standby.Has(t, "SELECT count(*) = 5 FROM expenses") })
				standby.Lag(t)
				r.say(alice, "lost")
			}
			d.catchUp()
			s := r.listen(alice)

			primary.Stop(t)
			if a := r.say(alice, "refused"); a.code != 503 {
				t.Errorf("a change without a primary: %d %s", a.code, a.body)
			}
			r.within(30*time.Second, "readiness says no", func() bool { return r.ready() == 503 })
			standby.Promote(t)
			r.within(30*time.Second, "a change is stored", func() bool { return r.say(alice, "after").code == 201 })
			r.within(30*time.Second, "readiness says yes", func() bool { return r.ready() == 200 })
			if !synchronous {
				<-s.closed // its place was in the log that is lost
			}
			d.catchUp()
			want := described(r.call("GET", "/api/expenses", alice, "").body)
			slices.Sort(d.rows)
			slices.Sort(want)
			if !slices.Equal(d.rows, want) || slices.Contains(want, "lost") {
				t.Errorf("the device has %v, the server %v", d.rows, want)
			}
			for i := range 5 {
				if !slices.Contains(want, fmt.Sprintf("kept %d", i)) {
					t.Errorf("acknowledged expense %d is gone", i)
				}
			}
		})
	}
}
