package sockets

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"

	"expenseflow/internal/auth"
	"expenseflow/internal/failure"
	"expenseflow/internal/socketio"
	"expenseflow/internal/trace"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// The texts and codes of refusals (docs/contract.md#connecting).
const (
	authenticationError = "Authentication error"
	tooManyConnections  = "Too many connections"
	codeConnectionLimit = "CONNECTION_LIMIT"
)

// connectErrorData is the data of a connect_error.
type connectErrorData struct {
	Code      string `json:"code"`
	RequestID string `json:"requestId,omitempty"` // names the refusal in the log
}

// An authenticator turns a bearer token into its user; *auth.Authenticator is one. It
// fails with models.Unauthorized if the token will never be valid again.
type authenticator interface {
	Authenticate(ctx context.Context, bearer string) (auth.Identity, error)
}

// An admission decides which sockets may connect, and as whom.
type admission struct {
	auth     authenticator
	sessions *sessionRegistry
	expenses expenseService
	counts   *counters
	failures *failure.Reporter

	// newSession makes the session of a socket whose token is valid.
	newSession func(*socketio.Socket, connectAuth, auth.Identity) *session
}

// admit is the middleware of the namespace. A *socketio.ConnectError refuses a socket
// for good; socketio.ErrCloseTransport has the client try again.
func (a *admission) admit(ctx context.Context, socket *socketio.Socket) error {
	err := a.decide(ctx, socket)
	if err != nil && ctx.Err() == nil {
		a.counts.refused(err)
	}
	return err
}

func (a *admission) decide(ctx context.Context, socket *socketio.Socket) error {
	sent, err := parseConnectAuth(socket.Handshake())
	if sent.trace != nil {
		ctx = trace.With(ctx, *sent.trace)
	}
	if err != nil {
		return a.refusal(ctx, err)
	}
	ctx = withPage(ctx, sent.pid)
	for {
		epoch := a.sessions.signOutEpoch()
		id, err := a.auth.Authenticate(ctx, sent.token)
		if err != nil {
			return a.refusal(ctx, err)
		}
		s := a.newSession(socket, sent, id)
		if err := a.setInitialZone(ctx, s, id); err != nil {
			return a.refusal(ctx, err)
		}
		switch a.sessions.add(s, epoch, sent.pid) {
		case overLimit:
			return a.refuse(ctx, tooManyConnections, codeConnectionLimit, "MAX_CONNECTIONS_PER_USER", slog.String("user_id", s.userID))
		case registered:
			socket.SetOwner(s.userID)
			s.attach(ctx)
			return nil
		}
	}
}

// withPage has the rooms of a page that comes back read with its user.
func withPage(ctx context.Context, pid string) context.Context {
	if pid == "" {
		return ctx
	}
	return models.WithPage(ctx, pidHash(pid))
}

// setInitialZone gives an account that has no time zone yet the one that its client
// names, before the socket sends anything.
func (a *admission) setInitialZone(ctx context.Context, s *session, id auth.Identity) error {
	if s.client.TimeZone == "" || id.User.ChosenZone != "" {
		return nil
	}
	ctx = models.WithCredential(ctx, id.Credential)
	return a.expenses.InitZone(ctx, s.userID, s.client.TimeZone, s.author(wire.Meta{}))
}

// refusal turns a failed authentication into what the client is told: only a definitive
// failure refuses the socket (docs/contract.md#d19).
func (a *admission) refusal(ctx context.Context, err error) error {
	if models.KindOf(err) != models.Unauthorized {
		a.failures.Report(ctx, "socket cannot be authenticated now", wire.Code(err), err)
		return fmt.Errorf("%w: %w", socketio.ErrCloseTransport, err)
	}
	code := refusalCode(err)
	return a.refuse(ctx, authenticationError, code, tokenSettings[code])
}

// refuse writes a line of the log and returns the refusal of a socket, which has the id of
// that line. setting is the one that decides.
func (a *admission) refuse(ctx context.Context, text, code, setting string, attrs ...slog.Attr) error {
	id := trace.From(ctx)
	id.RequestID = trace.NewID()
	a.failures.Refused(trace.With(ctx, id), "socket refused", code, cmp.Or(setting, models.FixedLimit), attrs...)
	return &socketio.ConnectError{Message: text, Data: connectErrorData{code, id.RequestID}}
}

// tokenSettings are the settings that decide about tokens, by the code of a refusal.
var tokenSettings = map[string]string{auth.CodeTokenInvalid: "JWT_SECRET", auth.CodeTokenExpired: "JWT_EXPIRE"}

// refusalCode returns the code of a refusal. SESSION_INVALID is not among the codes
// that sockets know: a token that was signed out is an invalid one.
func refusalCode(err error) string {
	var e *models.Error
	if !errors.As(err, &e) || e.Code == "" || e.Code == auth.CodeSessionInvalid {
		return auth.CodeTokenInvalid
	}
	return e.Code
}
