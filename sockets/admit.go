package sockets

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"

	"expenseflow/internal/auth"
	"expenseflow/internal/seededbug"
	"expenseflow/internal/socketio"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// The texts and codes of refusals (docs/contract.md#live-features).
const (
	authenticationError = "Authentication error"
	tooManyConnections  = "Too many connections"
	codeConnectionLimit = "CONNECTION_LIMIT"
)

// A refusalData is the data of a connect_error.
type refusalData struct {
	Code string `json:"code"`
}

// admit decides whether a socket may join, and as whom. It is the namespace's
// middleware: a *socketio.ConnectError refuses for good, ErrCloseTransport makes
// the client try again.
func (h *Hub) admit(ctx context.Context, socket *socketio.Socket) error {
	token, err := bearer(socket.Handshake())
	if err != nil {
		return h.refusal(ctx, err)
	}
	for {
		moment := h.members.moment()
		id, err := h.opts.Auth.Authenticate(ctx, token)
		if seededbug.Enabled(seededbug.NoRecoveryAuth) {
			id, err = seededbug.Once(token, id, err)
		}
		if err != nil {
			return h.refusal(ctx, err)
		}
		s := newSession(h, socket, id)
		if seededbug.Enabled(seededbug.UnauthorisedJoin) {
			s.userID = seededbug.First(s.userID)
		}
		if err := h.nameZone(ctx, s, id); err != nil {
			return h.refusal(ctx, err)
		}
		switch h.members.add(s, moment, claimed(socket.Handshake())) {
		case crowded:
			return &socketio.ConnectError{Message: tooManyConnections, Data: refusalData{codeConnectionLimit}}
		case admitted:
			socket.SetOwner(s.userID)
			s.await(ctx)
			return nil
		}
	}
}

// nameZone gives an account that has no zone yet the one that its socket names,
// before the socket says anything.
func (h *Hub) nameZone(ctx context.Context, s *session, id auth.Identity) error {
	if s.hello.TimeZone == "" || id.User.ChosenZone != "" {
		return nil
	}
	return h.opts.Book.NameZone(models.WithCredential(ctx, s.token), s.userID, s.hello.TimeZone, s.author(wire.Meta{}))
}

// refusal turns a failed authentication into what the client is told.
func (h *Hub) refusal(ctx context.Context, err error) error {
	if models.KindOf(err) != models.Unauthorized {
		if ctx.Err() == nil {
			h.log.WarnContext(ctx, "socket cannot be authenticated now", slog.Any("error", err))
		}
		return fmt.Errorf("%w: %w", socketio.ErrCloseTransport, err)
	}
	return &socketio.ConnectError{Message: authenticationError, Data: refusalData{refusalCode(err)}}
}

// refusalCode is the contract's code of a refusal. Sockets know no
// SESSION_INVALID: a token that was signed out is one that is not valid.
func refusalCode(err error) string {
	var e *models.Error
	if !errors.As(err, &e) || e.Code == "" || e.Code == auth.CodeSessionInvalid {
		return auth.CodeTokenInvalid
	}
	return e.Code
}

// bearer gives the token that a client sent: auth.token, or else the header
// Authorization, either with or without "Bearer ". It fails for an auth.token
// that is no text.
func bearer(h *socketio.Handshake) (string, error) {
	var sent struct {
		Token *json.RawMessage `json:"token"`
	}
	if err := json.Unmarshal(h.Auth, &sent); err != nil {
		return "", notAToken(err)
	}
	var token string
	if sent.Token != nil {
		if err := json.Unmarshal(*sent.Token, &token); err != nil {
			return "", notAToken(err)
		}
	}
	if token == "" {
		token = h.Header.Get("Authorization")
	}
	return token, nil
}

// claimed is the private session id that a client comes back with, "" for none.
func claimed(h *socketio.Handshake) string {
	var sent struct {
		PID json.RawMessage `json:"pid"`
	}
	var pid string
	if json.Unmarshal(h.Auth, &sent) != nil || json.Unmarshal(sent.PID, &pid) != nil {
		return ""
	}
	return pid
}

func notAToken(err error) error {
	return &models.Error{Kind: models.Unauthorized, Msg: authenticationError, Code: auth.CodeTokenInvalid, Err: err}
}
