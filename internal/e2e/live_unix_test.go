//go:build unix

package e2e

import (
	"net/http"
	"testing"

	"expenseflow/internal/testneed"
)

// The database goes away and comes back: everybody is told both, nobody is
// disconnected, and states are right again afterwards.
func TestLiveADatabaseThatIsAwayIsToldOf(t *testing.T) {
	db := testneed.NewPostgres(t)
	h := newHousehold(t, startRaced(t, "DATABASE_URL="+db.URL))
	everybody := append(h.devices, h.foreign)
	is := func(status string) func(map[string]any) bool {
		return func(p map[string]any) bool { return p["status"] == status }
	}
	db.Stop(t)
	for _, d := range everybody {
		d.awaitState(t, "system:status", is("degraded"))
	}
	same(t, "command", "UNAVAILABLE", h.devices[0].answered(t, "expense:create", draft("lunch"))["code"])
	same(t, "dashboard", "UNAVAILABLE", h.devices[0].answered(t, "dashboard:subscribe")["code"])
	h.call(t, http.MethodGet, "/api/dashboard", nil).want(t, http.StatusServiceUnavailable)
	db.Start(t)
	for _, d := range everybody {
		d.awaitState(t, "system:status", is("ok"))
		same(t, "disconnects", 0, len(d.noted("disconnect")))
	}
	same(t, "command", true, h.devices[0].answered(t, "expense:create", draft("secret of the first"))["ok"])
	for _, d := range h.devices {
		d.awaitState(t, "account:balance", func(p map[string]any) bool { return p["cause"] != nil })
	}
	h.undisturbed(t)
}
