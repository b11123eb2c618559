// Package trace identifies what the program is working on, so that the answer to a client,
// the lines of the log and the spans of a tracing system can be put together: an id for
// each request, and the position in the caller's trace (W3C Trace Context, level 1).
//
// Invariants:
//   - An id consists of letters, digits and "-_.", at most MaxID of them, whoever chose it.
//   - Handler adds the ids of a context to every line that is logged with it; nobody else
//     needs to pass them on.
package trace

import (
	"context"
	"crypto/rand"
	"log/slog"
	"strings"
)

// A Context identifies one request, or one event of a socket.
type Context struct {
	RequestID string // "" while it has none, as an event that has not failed

	// TraceID and SpanID are those of the caller's traceparent; "" without one.
	TraceID, SpanID string
}

// MaxID is the maximum length of a request id that a client or a proxy chose.
const MaxID = 64

// NewID returns a new request id.
func NewID() string { return rand.Text() }

// IDOr returns id if it may be the id of a request, else a new one.
func IDOr(id string) string {
	const characters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-_."
	if id == "" || len(id) > MaxID || strings.Trim(id, characters) != "" {
		return NewID()
	}
	return id
}

// The lengths of the parts of a traceparent of version 00, in characters.
const (
	traceIDLength     = 32
	spanIDLength      = 16
	traceparentLength = len("00-") + traceIDLength + len("-") + spanIDLength + len("-01")
)

// Parse returns the ids in a traceparent. Those of an invalid one are "". A version that is
// newer than 00 may continue after the part that is known here.
func Parse(traceparent string) (traceID, spanID string) {
	t := strings.TrimSpace(traceparent)
	if len(t) < traceparentLength || t[2] != '-' || t[35] != '-' || t[52] != '-' {
		return "", ""
	}
	version, trace, span, flags := t[:2], t[3:35], t[36:52], t[53:55]
	if !isHex(version) || version == "ff" || !isHex(trace) || !isHex(span) || !isHex(flags) || isZero(trace) || isZero(span) {
		return "", ""
	}
	if rest := t[traceparentLength:]; rest != "" && (version == "00" || rest[0] != '-') {
		return "", ""
	}
	return strings.Clone(trace), strings.Clone(span)
}

func isHex(s string) bool { return strings.Trim(s, "0123456789abcdef") == "" }

func isZero(s string) bool { return strings.Trim(s, "0") == "" }

type contextKey struct{}

// With returns a context that carries c.
func With(ctx context.Context, c Context) context.Context {
	return context.WithValue(ctx, contextKey{}, c)
}

// From returns what ctx carries; the zero Context if it carries none.
func From(ctx context.Context) Context {
	c, _ := ctx.Value(contextKey{}).(Context)
	return c
}

// Handler returns a slog.Handler that adds the ids of the context to the lines for next, as
// request_id, trace_id and span_id.
func Handler(next slog.Handler) slog.Handler { return handler{next} }

type handler struct{ slog.Handler }

// Handle implements slog.Handler.
func (h handler) Handle(ctx context.Context, r slog.Record) error {
	c := From(ctx)
	if c == (Context{}) {
		return h.Handler.Handle(ctx, r)
	}
	r = r.Clone()
	for _, id := range []slog.Attr{
		slog.String("request_id", c.RequestID), slog.String("trace_id", c.TraceID), slog.String("span_id", c.SpanID),
	} {
		if id.Value.String() != "" {
			r.AddAttrs(id)
		}
	}
	return h.Handler.Handle(ctx, r)
}

// WithAttrs implements slog.Handler.
func (h handler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return handler{h.Handler.WithAttrs(attrs)}
}

// WithGroup implements slog.Handler.
func (h handler) WithGroup(name string) slog.Handler { return handler{h.Handler.WithGroup(name)} }
