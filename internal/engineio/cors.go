package engineio

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"expenseflow/internal/cors"
)

// CORS configures which pages of other origins may use the server by polling. Browsers do
// not apply it to WebSocket; use Config.AllowRequest there. Its methods are safe for
// concurrent use as long as the fields do not change.
type CORS struct {
	// Origins are allowed by exact match; "*" allows any without credentials.
	Origins []string

	// AllowOrigin allows origins beyond Origins. nil: none.
	AllowOrigin func(origin string) bool

	// Decide, if set, replaces Origins, AllowOrigin and Credentials: it returns the value
	// of Access-Control-Allow-Origin for r, "" for none, and whether credentials may be
	// sent.
	Decide func(r *http.Request) (allow string, credentials bool)

	Credentials    bool          // cookies and Authorization may be sent
	Methods        []string      // default GET, HEAD, PUT, PATCH, POST, DELETE
	AllowedHeaders []string      // default: those the browser asks for
	ExposedHeaders []string      // in addition to those that are always readable
	MaxAge         time.Duration // how long a browser may cache a preflight, in whole seconds; 0: its default
}

// Apply sets the CORS headers of the answer to r. If r is a preflight request, it answers
// it and returns true.
func (c *CORS) Apply(w http.ResponseWriter, r *http.Request) (done bool) {
	if c == nil {
		return false
	}
	c.mark(w.Header(), r)
	if r.Method != http.MethodOptions {
		return false
	}
	c.preflight(w.Header(), r)
	w.WriteHeader(http.StatusNoContent)
	return true
}

// mark sets the headers of every answer.
func (c *CORS) mark(h http.Header, r *http.Request) {
	allow, credentials := c.decide(r)
	if allow != "*" {
		h.Add("Vary", "Origin")
	}
	if allow == "" {
		return
	}
	cors.Allow(h, allow, credentials)
	if len(c.ExposedHeaders) > 0 {
		cors.Expose(h, c.ExposedHeaders...)
	}
}

func (c *CORS) decide(r *http.Request) (allow string, credentials bool) {
	if c.Decide != nil {
		return c.Decide(r)
	}
	origin := r.Header.Get("Origin")
	switch {
	case slices.Contains(c.Origins, "*"):
		return "*", c.Credentials
	case origin != "" && c.allowed(origin):
		return origin, c.Credentials
	}
	return "", false
}

func (c *CORS) allowed(origin string) bool {
	return slices.Contains(c.Origins, origin) || c.AllowOrigin != nil && c.AllowOrigin(origin)
}

// preflight sets the headers that only the answer to OPTIONS has.
func (c *CORS) preflight(h http.Header, r *http.Request) {
	methods := c.Methods
	if methods == nil {
		methods = cors.Methods
	}
	if c.AllowedHeaders == nil && r.Header.Get("Access-Control-Request-Headers") != "" {
		h.Add("Vary", "Access-Control-Request-Headers")
	}
	cors.Preflight(h, r, methods, c.AllowedHeaders)
	if c.MaxAge > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(int(c.MaxAge/time.Second)))
	}
}
