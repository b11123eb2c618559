// Package cors writes the headers of cross-origin resource sharing (Fetch Standard,
// section 3.2). It decides nothing: HTTP routes and Engine.IO polling both pass it the
// decision of their policy.
package cors

import (
	"net/http"
	"strings"
)

// Methods are the methods that preflight responses allow by default.
var Methods = []string{"GET", "HEAD", "PUT", "PATCH", "POST", "DELETE"}

// Expose lets pages that may read the response read these headers of it too. Browsers show
// few others.
func Expose(h http.Header, names ...string) {
	h.Set("Access-Control-Expose-Headers", strings.Join(names, ","))
}

// Allow lets pages of an origin read the response: a single origin, or "*" for any.
// credentials lets them send cookies and Authorization. An empty origin sets nothing.
func Allow(h http.Header, origin string, credentials bool) {
	if origin == "" {
		return
	}
	h.Set("Access-Control-Allow-Origin", origin)
	if credentials {
		h.Set("Access-Control-Allow-Credentials", "true")
	}
}

// Preflight sets what only the response to a preflight request has: the allowed methods
// and headers. nil headers allows those that the browser asks for.
func Preflight(h http.Header, r *http.Request, methods, headers []string) {
	h.Set("Access-Control-Allow-Methods", strings.Join(methods, ","))
	if headers != nil {
		h.Set("Access-Control-Allow-Headers", strings.Join(headers, ","))
	} else if asked := r.Header.Get("Access-Control-Request-Headers"); asked != "" {
		h.Set("Access-Control-Allow-Headers", asked)
	}
}
