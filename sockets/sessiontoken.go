package sockets

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"time"

	"expenseflow/internal/auth"
	"expenseflow/internal/timers"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A sessionToken is the token by which a session is open. It does not change: auth:refresh
// gives the session another one (docs/events.md#authrefresh).
type sessionToken struct {
	credential models.Credential // checked again with each of the session's changes; has when the token expires
	id         string            // identifies the token in changes; "" for tokens of the original
	before     string            // the id of the token that it replaced; "" for none
	signedIn   time.Time
	notice     time.Time // when the client is told that it expires soon

	// checkedAt is the newest change of the user's log when the token was checked.
	checkedAt int64
}

// expiryNotice is how long before the end of a token its sockets are told, unless it lives
// for less than twice as long.
const expiryNotice = time.Minute

func newSessionToken(id *auth.Identity) *sessionToken {
	c := &id.Claims
	life := time.Until(c.ExpiresAt)
	if !c.IssuedAt.IsZero() {
		life = c.ExpiresAt.Sub(c.IssuedAt)
	}
	return &sessionToken{
		credential: id.Credential, id: c.TokenID, signedIn: c.SignedIn,
		notice: c.ExpiresAt.Add(-min(expiryNotice, life/2)), checkedAt: id.User.Seq,
	}
}

// made reports whether a change was made with this token, or with the one before: such a
// change may be delivered after the token was replaced.
func (t *sessionToken) made(by models.Author) bool {
	return by.TokenID != "" && (by.TokenID == t.id || by.TokenID == t.before)
}

// The events that tell a client that its token expires soon, and that its socket is closed
// because the token has expired (docs/contract.md#d33).
const (
	expiringEvent = "auth:expiring"
	expiredEvent  = "auth_expired"
)

// deadlines are the moments at which something happens to a session by itself: the notice
// and the end of its token, and its age. The session's mu guards them.
type deadlines struct {
	timer    timers.Timer[*session]
	ageEnds  time.Time     // zero is never
	notified *sessionToken // of whose end the client was told
	over     bool          // the session is being ended
}

// startDeadlines starts the timer. The caller must hold mu.
//
// A session that ends because of its age does so at a random moment of the last fifth of
// Options.MaxAge, so that sockets which connected together do not all come back together.
// Its client reconnects by itself and continues where it was.
func (s *session) startDeadlines() {
	if s.maxAge > 0 {
		s.deadlines.ageEnds = time.Now().Add(s.maxAge - rand.N(s.maxAge/5+1))
	}
	s.setDeadline()
}

// setDeadline has the timer ring at what happens next. The caller must hold mu.
func (s *session) setDeadline() { s.timers.Set(&s.deadlines.timer, s, s.nextDeadline().at) }

// A deadline is what happens at a moment.
type deadline struct {
	at   time.Time
	do   func()
	ends bool // the session
}

// nextDeadline returns what happens next. The caller must hold mu.
func (s *session) nextDeadline() deadline {
	token, d := s.token.Load(), &s.deadlines
	next := deadline{token.credential.Until, s.expire, true}
	if d.notified != token {
		next = deadline{token.notice, func() { s.tellExpiring(token) }, false}
	}
	if !d.ageEnds.IsZero() && d.ageEnds.Before(next.at) {
		next = deadline{d.ageEnds, s.socket.CloseTransport, true}
	}
	return next
}

// deadlineReached is called by the timer.
func (s *session) deadlineReached() {
	if due, ok := s.takeDeadline(); ok {
		due.do()
	}
}

// takeDeadline returns what is due now, and sets the timer to what follows it. ok is false if
// nothing is due: the timer may be that of a token which has been replaced.
func (s *session) takeDeadline() (due deadline, ok bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deadlines.over || s.life.over() {
		return deadline{}, false
	}
	due = s.nextDeadline()
	if ok = !time.Now().Before(due.at); ok {
		s.deadlines.over = due.ends
		s.deadlines.notified = s.token.Load()
	}
	if !s.deadlines.over {
		s.setDeadline()
	}
	return due, ok
}

// tellExpiring tells the client when its token expires, once for each token.
func (s *session) tellExpiring(token *sessionToken) {
	_ = s.socket.Emit(expiringEvent, struct {
		ExpiresAt wire.Time `json:"expiresAt"`
	}{wire.Time(token.credential.Until)})
}

// expire closes the socket of a token that has expired. The client is told why, and
// does not reconnect by itself: the same token would be refused.
func (s *session) expire() {
	reason := struct {
		Error string `json:"error"`
		connectErrorData
	}{authenticationError, connectErrorData{Code: auth.CodeTokenExpired}}
	if err := s.socket.Emit(expiredEvent, reason); err != nil {
		return // it has gone by itself
	}
	s.socket.Disconnect(true)
}

// errEnding refuses another token for a session whose end has begun.
var errEnding = &models.Error{
	Kind: models.Invalid, Code: auth.CodeTokenExpired, Msg: "This connection is being closed: connect again with the new token",
}

// replaceToken has the session go on by another token; register makes it the one by which
// the session is found at a sign-out, unless there was one meanwhile.
func (s *session) replaceToken(token *sessionToken, register func() registration) (registration, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.deadlines.over || s.life.over() {
		return 0, errEnding
	}
	token.before = s.token.Load().id
	r := register()
	if r == registered {
		s.setDeadline()
	}
	return r, nil
}

// A tokenCommand handles auth:refresh.
type tokenCommand struct {
	auth     authenticator
	sessions *sessionRegistry
	devices  *deviceWriter
}

// errOtherUser refuses a token of another user: a socket is of one user from its first to
// its last packet.
var errOtherUser = models.E(models.Forbidden, "This token is of another user: the connection keeps the one that it has")

// refresh handles auth:refresh {token}: the session goes on by this token instead of the one
// that it has. A token that is refused changes nothing.
func (c *tokenCommand) refresh(ctx context.Context, s *session, arg json.RawMessage) (receipt, error) {
	sent, err := wire.ParseTokenRefresh(arg)
	if err != nil {
		return receipt{}, err
	}
	for {
		epoch := c.sessions.signOutEpoch()
		id, err := c.auth.Authenticate(ctx, sent)
		if err != nil {
			return receipt{}, refreshRefusal(err)
		}
		if id.User.ID != s.userID {
			return receipt{}, errOtherUser
		}
		token := newSessionToken(&id)
		switch r, err := s.replaceToken(token, func() registration { return c.sessions.replaceToken(s, token, epoch) }); {
		case err != nil:
			return receipt{}, err
		case r == registered:
			c.devices.addSession(s)
			expires := wire.Time(token.credential.Until)
			return receipt{ExpiresAt: &expires}, nil
		}
	}
}

// refusedTokens are the texts for tokens that are refused, by their code.
var refusedTokens = map[string]string{
	auth.CodeTokenExpired:   "This token has expired: the connection keeps the one that it has",
	auth.CodeSessionInvalid: "This token was signed out: the connection keeps the one that it has",
}

// refreshRefusal is the error for a token that is not valid. It is not models.Unauthorized,
// which would end the session: the token that it has is valid.
func refreshRefusal(err error) error {
	var e *models.Error
	if models.KindOf(err) != models.Unauthorized || !errors.As(err, &e) {
		return err
	}
	text := refusedTokens[e.Code]
	if text == "" {
		text = "This token is not valid: the connection keeps the one that it has"
	}
	return &models.Error{Kind: models.Invalid, Msg: text, Code: e.Code, Err: err}
}
