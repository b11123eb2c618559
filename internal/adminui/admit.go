package adminui

import (
	"context"
	"log/slog"
	"math"
	"strconv"
	"time"

	"expenseflow/internal/rawjson"
	"expenseflow/internal/socketio"
)

// The codes of refusals, and the settings that decide them.
const (
	codeCredentials = "INVALID_CREDENTIALS"
	codePage        = "ORIGIN_REFUSED"
	codeTooMany     = "ADMIN_LIMIT"
	codeGuesses     = "RATE_LIMITED"
	codeReadOnly    = "ADMIN_READ_ONLY"
	codeCommand     = "ADMIN_COMMAND"

	settingPassword = "ADMIN_PASSWORD"
	settingPage     = "ADMIN_UI_ORIGIN"
	settingGuesses  = "AUTH_RATE_LIMIT"
	settingWrite    = "ADMIN_UI_WRITE"
)

// A refusal of a sign-in. The Admin UI opens its dialog again on exactly the text of
// errCredentials, and shows other texts in it.
type refusal struct {
	text, code, setting string
	wait                time.Duration // until it may be tried again; 0 is unknown
}

var (
	errCredentials = &refusal{text: "invalid credentials", code: codeCredentials, setting: settingPassword}
	errPage        = &refusal{"this page may not administer the server: see ADMIN_UI_ORIGIN", codePage, settingPage, 0}
	errTooMany     = &refusal{text: "too many admins are connected", code: codeTooMany, setting: "none"}
)

// refusalData is the data of the CONNECT_ERROR of a refusal.
type refusalData struct {
	Code         string `json:"code"`
	RetryAfterMs int64  `json:"retryAfterMs,omitempty"`
}

func (r *refusal) connectError() error {
	return &socketio.ConnectError{Message: r.text, Data: refusalData{r.code, r.wait.Milliseconds()}}
}

// admit is the middleware of the namespace.
func (u *UI) admit(ctx context.Context, s *socketio.Socket) error {
	h := s.Handshake()
	if r := u.check(h); r != nil {
		u.count.refused.Add(1)
		u.opts.Refused(ctx, "an admin was refused", r.code, r.setting, slog.String("address", h.RemoteAddr))
		return r.connectError()
	}
	s.SetOwner("admins")
	u.log.InfoContext(ctx, "an admin signed in", slog.String("address", h.RemoteAddr))
	return nil
}

func (u *UI) check(h *socketio.Handshake) *refusal {
	switch {
	case !u.opts.Allow(h):
		return errPage
	case u.admin.Len() >= maxAdmins:
		return errTooMany
	}
	address := u.opts.Address(h.RemoteAddr)
	if id := rawjson.Text(h.AuthFields["sessionId"]); id != "" && u.sessions.valid(id, address, time.Now()) {
		return nil
	}
	if h.AuthFields["password"] == nil {
		return errCredentials // no guess
	}
	return u.checkPassword(address, rawjson.Text(h.AuthFields["username"]), rawjson.Text(h.AuthFields["password"]))
}

// checkPassword counts wrong passwords. Beyond the limit it refuses right ones too.
func (u *UI) checkPassword(address, user, password string) *refusal {
	u.guessing.Lock()
	defer u.guessing.Unlock()
	if wait, ok := u.opts.Guesses.Peek(address); !ok {
		return tooManyGuesses(wait)
	}
	rightUser, rightPassword := sameText(user, u.opts.User), sameText(password, u.opts.Password)
	if rightUser && rightPassword {
		return nil
	}
	u.opts.Guesses.Take(address)
	return errCredentials
}

func tooManyGuesses(wait time.Duration) *refusal {
	minutes := strconv.Itoa(int(math.Ceil(wait.Minutes())))
	return &refusal{"too many wrong passwords: try again in " + minutes + " min", codeGuesses, settingGuesses, wait}
}
