package engineio

import (
	"encoding/json"
	"net/http"
	"strconv"
	"time"
)

// ErrorCode is the "code" of a refused request's body.
type ErrorCode int

// The codes are those of the reference server.
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

// A refusal is the reason why a request is not served.
type refusal struct {
	status     int
	code       ErrorCode
	msg        string // for the client
	why        string // for Config.Refused, as the next
	limit      Limit
	retryAfter time.Duration // when a client may try again; 0 if it should not
}

func refuse(code ErrorCode, why string) *refusal {
	status := http.StatusBadRequest
	if code == Forbidden {
		status = http.StatusForbidden
	}
	return &refusal{status: status, code: code, msg: errorMessages[code], why: why}
}

// fullRetry is when a client may try again that was refused because the server is full.
const fullRetry = 5 * time.Second

// unavailable refuses a request for now; clients try again by themselves.
func unavailable(limit Limit, why string, retryAfter time.Duration) *refusal {
	return &refusal{
		status: http.StatusServiceUnavailable, code: BadRequest, msg: why, why: why, limit: limit, retryAfter: retryAfter,
	}
}

// forbid refuses with the error of Config.AllowRequest.
func forbid(err error) *refusal {
	f := refuse(Forbidden, "not allowed")
	f.limit = LimitOrigin
	if err.Error() != "" {
		f.msg = err.Error()
	}
	return f
}

// answer writes the refusal: as JSON, or as plain text in answer to a WebSocket handshake,
// where the status is 400 unless the server is full.
func (f *refusal) answer(w http.ResponseWriter, webSocket bool) {
	if f.retryAfter > 0 {
		seconds := (f.retryAfter + time.Second - 1) / time.Second
		w.Header().Set("Retry-After", strconv.FormatInt(int64(seconds), 10))
	}
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
