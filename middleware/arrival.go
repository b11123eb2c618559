package middleware

import (
	"encoding/json"
	"net/http"
	"net/netip"
)

// ArrivalHeader is the header of a request that asks how it arrived (Arrival).
const ArrivalHeader = "Expenseflow-Doctor"

// An Arrived says how a request arrived here: who connected and what a proxy wrote into it,
// and what the server makes of it.
type Arrived struct {
	Peer         string   `json:"peer"`    // the address of who connected
	Trusted      bool     `json:"trusted"` // whether it is in TRUSTED_PROXIES
	TLS          bool     `json:"tls"`     // whether it connected by TLS
	ForwardedFor []string `json:"forwardedFor,omitempty"`

	Address string `json:"address"` // of the client
	HTTPS   bool   `json:"https"`   // whether the client uses HTTPS
	Host    string `json:"host"`
}

// Arrival answers requests with a header ArrivalHeader that valid accepts with how they
// arrived. Nobody else learns the addresses of proxies: all other requests go to next. It
// must run before RealIP, which rewrites the request.
func Arrival(valid func(key string) bool, trusted []netip.Prefix, next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		key := r.Header.Get(ArrivalHeader)
		if key == "" || !valid(key) {
			next.ServeHTTP(w, r)
			return
		}
		w.Header().Set("Content-Type", "application/json")
		w.Header().Set("Cache-Control", "no-store")
		_ = json.NewEncoder(w).Encode(arrivalOf(r, trusted)) // a client that has gone needs no answer
	})
}

// arrivalOf rewrites r.
func arrivalOf(r *http.Request, trusted []netip.Prefix) Arrived {
	peer := clientIP(r)
	a := Arrived{
		Peer: peer.String(), Trusted: containsIP(trusted, peer), TLS: r.TLS != nil, ForwardedFor: r.Header.Values("X-Forwarded-For"),
	}
	if a.Trusted {
		trustForwarded(trusted, r)
	} else {
		deleteForwarded(r, func() {})
	}
	a.Address, a.HTTPS, a.Host = clientIP(r).String(), isHTTPS(r), r.Host
	if host := r.Header.Get("X-Forwarded-Host"); host != "" {
		a.Host = host
	}
	return a
}
