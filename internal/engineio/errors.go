package engineio

import (
	"encoding/json"
	"net/http"
)

// ErrorCode is the "code" of a refused request's body.
type ErrorCode int

// The codes of the reference server, which has no others.
const (
	UnknownTransport ErrorCode = iota
	UnknownSession
	BadHandshakeMethod
	BadRequest
	Forbidden
	UnsupportedVersion
)

var errorMessages = [...]string{
	UnknownTransport:   "Transport unknown",
	UnknownSession:     "Session ID unknown",
	BadHandshakeMethod: "Bad handshake method",
	BadRequest:         "Bad request",
	Forbidden:          "Forbidden",
	UnsupportedVersion: "Unsupported protocol version",
}

// A refusal is why a request was not served.
type refusal struct {
	status int
	code   ErrorCode
	msg    string // read by the client
	why    string // for logs
}

func refuse(code ErrorCode, why string) *refusal {
	status := http.StatusBadRequest
	if code == Forbidden {
		status = http.StatusForbidden
	}
	return &refusal{status: status, code: code, msg: errorMessages[code], why: why}
}

// unavailable refuses newcomers for a while; clients try again by themselves.
func unavailable(why string) *refusal {
	return &refusal{status: http.StatusServiceUnavailable, code: BadRequest, msg: why, why: why}
}

// forbid refuses with the words of AllowRequest.
func forbid(err error) *refusal {
	f := refuse(Forbidden, "not allowed")
	if err.Error() != "" {
		f.msg = err.Error()
	}
	return f
}

// answer tells the client: JSON over HTTP, plain text to a WebSocket handshake,
// which is always a 400 there unless the server is full.
func (f *refusal) answer(w http.ResponseWriter, webSocket bool) {
	if webSocket {
		f.answerPlain(w)
		return
	}
	body, _ := json.Marshal(struct { // cannot fail
		Code    ErrorCode `json:"code"`
		Message string    `json:"message"`
	}{f.code, f.msg})
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(f.status)
	_, _ = w.Write(body)
}

func (f *refusal) answerPlain(w http.ResponseWriter) {
	h := w.Header()
	h.Set("Connection", "close")
	h.Set("Content-Type", "text/plain; charset=utf-8")
	h.Set("X-Content-Type-Options", "nosniff")
	if f.status == http.StatusForbidden {
		f.status = http.StatusBadRequest // as the reference does
	}
	w.WriteHeader(f.status)
	_, _ = w.Write([]byte(f.msg))
}
