package sockets

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"expenseflow/internal/auth"
	"expenseflow/internal/socketio"
	"expenseflow/internal/trace"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A connectAuth is what a client sends with its CONNECT (docs/contract.md#connecting).
type connectAuth struct {
	token  string // auth.token, or else the header Authorization; with or without "Bearer "; "" for none
	pid    string // the private session id of the connection that it continues; "" for none
	client wire.ClientInfo
	trace  *trace.Context // of auth.traceparent, or else the header traceparent; nil for none
}

// parseConnectAuth reads a CONNECT. The error is models.Unauthorized, for a token that
// is no string. Anything else that is malformed is ignored: refusing the socket would
// keep the page away for good.
func parseConnectAuth(h *socketio.Handshake) (connectAuth, error) {
	a := connectAuth{pid: h.Claim().PID, client: wire.ParseClientInfo(h.AuthFields), trace: traceOf(h)}
	if sent := h.AuthFields["token"]; sent != nil {
		if err := json.Unmarshal(sent, &a.token); err != nil {
			return connectAuth{}, invalidToken(err)
		}
	}
	if a.token == "" {
		a.token = h.Header.Get("Authorization")
	}
	return a, nil
}

// traceOf returns the trace that a client names. Browsers cannot set a header of a
// WebSocket, so it may be in auth.
func traceOf(h *socketio.Handshake) *trace.Context {
	var sent string
	if json.Unmarshal(h.AuthFields["traceparent"], &sent) != nil || sent == "" {
		sent = h.Header.Get("Traceparent")
	}
	traceID, spanID := trace.Parse(sent)
	if traceID == "" {
		return nil
	}
	return &trace.Context{TraceID: traceID, SpanID: spanID}
}

func invalidToken(err error) error {
	return &models.Error{Kind: models.Unauthorized, Msg: authenticationError, Code: auth.CodeTokenInvalid, Err: err}
}

// deviceOf returns the id under which a session's device is listed: the one that the
// client named, or one made from the token.
func deviceOf(named string, claims auth.Claims) string {
	if named != "" {
		return named
	}
	sum := sha256.Sum256([]byte(claims.Key))
	return "browser-" + hex.EncodeToString(sum[:4])
}
