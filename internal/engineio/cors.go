package engineio

import (
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"
)

// CORS says which pages of other origins may use the server by polling. Browsers
// do not ask for WebSocket; refuse those by Config.AllowRequest.
type CORS struct {
	// Origins are allowed by exact match; "*" allows any without credentials.
	Origins []string

	// AllowOrigin allows origins beyond Origins. nil: none.
	AllowOrigin func(origin string) bool

	// Decide, if set, takes the place of Origins, AllowOrigin and Credentials: it
	// gives the value of Access-Control-Allow-Origin for r, "" for none, and whether
	// credentials may be sent.
	Decide func(r *http.Request) (allow string, credentials bool)

	Credentials    bool          // cookies and Authorization may be sent
	Methods        []string      // default GET, HEAD, PUT, PATCH, POST, DELETE
	AllowedHeaders []string      // default those the browser asks for
	ExposedHeaders []string      // beyond the ones that are always readable
	MaxAge         time.Duration // whole seconds a browser may remember a preflight; 0: its default
}

var defaultMethods = []string{"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"}

// Apply marks the answer to r and reports whether r was a preflight request and
// is answered with that.
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

// mark adds what every answer carries.
func (c *CORS) mark(h http.Header, r *http.Request) {
	allow, credentials := c.decide(r)
	if allow != "*" {
		h.Add("Vary", "Origin")
	}
	if allow == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", allow)
	if credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
	if len(c.ExposedHeaders) > 0 {
		h.Set("Access-Control-Expose-Headers", strings.Join(c.ExposedHeaders, ","))
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

// preflight adds what only the answer to OPTIONS carries.
func (c *CORS) preflight(h http.Header, r *http.Request) {
	methods := c.Methods
	if methods == nil {
		methods = defaultMethods
	}
	h.Set("Access-Control-Allow-Methods", strings.Join(methods, ","))
	if c.AllowedHeaders != nil {
		h.Set("Access-Control-Allow-Headers", strings.Join(c.AllowedHeaders, ","))
	} else if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Add("Vary", "Access-Control-Request-Headers")
		h.Set("Access-Control-Allow-Headers", asked)
	}
	if c.MaxAge > 0 {
		h.Set("Access-Control-Max-Age", strconv.Itoa(int(c.MaxAge/time.Second)))
	}
}
