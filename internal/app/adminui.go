package app

import (
	"context"
	"net/http"
	"slices"

	"expenseflow/internal/adminui"
	"expenseflow/internal/keyring"
	"expenseflow/internal/origin"
	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/middleware"
)

// The labels of connections (engineio.Config.Label), by the page that opened them.
const (
	adminPage   = "admin page"   // of ADMIN_UI_ORIGIN, which may do nothing else
	foreignPage = "foreign page" // of another origin that is not listed in FRONTEND_URL
)

// adminPages are the pages of ADMIN_UI_ORIGIN. They may open connections with credentials,
// but join no namespace other than that of the Admin UI, and their cookies and Authorization
// headers are dropped: the page of another origin gains nothing by them.
type adminPages struct {
	origins []string
	pages   *origin.Policy
}

// is reports whether r comes from such a page, and from none that may use the server anyway.
func (p adminPages) is(r *http.Request) bool {
	if len(p.origins) == 0 || r.Header.Get("Origin") == "" {
		return false
	}
	from, err := origin.Parse(r.Header.Get("Origin"))
	return err == nil && slices.Contains(p.origins, from) && p.pages.Foreign(r)
}

// cors is engineio.CORS.Decide.
func (p adminPages) cors(r *http.Request) (allow string, credentials bool) {
	if p.is(r) {
		return r.Header.Get("Origin"), true
	}
	return p.pages.CORS(r)
}

// check is engineio.Config.AllowRequest.
func (p adminPages) check(r *http.Request) error {
	if p.is(r) {
		return nil
	}
	return p.pages.Check(r)
}

// label is engineio.Config.Label.
func (p adminPages) label(r *http.Request) string {
	switch {
	case p.is(r):
		return adminPage
	case p.pages.Foreign(r):
		return foreignPage
	}
	return ""
}

// withoutCredentials drops what a browser added to the requests of admin pages.
func (p adminPages) withoutCredentials(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if p.is(r) {
			r.Header.Del("Cookie")
			r.Header.Del("Authorization")
		}
		next.ServeHTTP(w, r)
	})
}

// confine keeps admin pages out of a namespace.
func (p adminPages) confine(n *socketio.Namespace) {
	if len(p.origins) > 0 {
		n.Use(refuseAdminPage)
	}
}

func refuseAdminPage(_ context.Context, s *socketio.Socket) error {
	if s.Handshake().Label != adminPage {
		return nil
	}
	return &socketio.ConnectError{Message: origin.ErrRefused.Error(), Data: map[string]string{"code": "ORIGIN_REFUSED"}}
}

// openAdminUI makes the namespace of the Admin UI if there is a password for it.
func (a *App) openAdminUI(ring keyring.Ring, io *socketio.Server) {
	if a.cfg.AdminPassword == "" {
		return
	}
	o := adminui.Options{
		IO: io, User: a.cfg.AdminUser, Password: a.cfg.AdminPassword.Reveal(), Keys: ring.Derive("expenseflow admin ui"),
		Development: a.cfg.AdminUIMode == "development", Write: a.cfg.AdminUIWrite,
		Allow:   func(h *socketio.Handshake) bool { return h.Label != foreignPage },
		Address: networkOf, Guesses: a.newLimiter("admin_ui", "AUTH_RATE_LIMIT", a.cfg.AuthRateLimit),
		Describe: a.hub.DescribeSocket, Protected: a.hub.OwnsRoom,
		Process: a.cluster.ID(), Redact: redactEvents.event, Logger: a.log, Refused: a.failures.Refused,
	}
	if !a.cfg.AdminUIRedact {
		o.Redact = redactTokens.event
	}
	if a.cluster != nil {
		o.Publish, o.Others = a.publish, a.otherProcesses
	}
	a.adminUI = adminui.New(o)
}

// otherProcesses returns the ids of the processes that serve beside this one.
func (a *App) otherProcesses() (ids []string) {
	for _, m := range a.cluster.Others() {
		ids = append(ids, m.ID)
	}
	return ids
}

// networkOf returns the key of an address by which sign-ins are counted.
func networkOf(remote string) string { return middleware.Network(&http.Request{RemoteAddr: remote}) }

// adminUIFigures are part of the overview; nil without the Admin UI.
func (a *App) adminUIFigures() *wire.AdminUIFigures {
	if a.adminUI == nil {
		return nil
	}
	s := a.adminUI.Stats()
	return &wire.AdminUIFigures{Admins: s.Admins, Refused: s.Refused, Dropped: s.Dropped}
}
