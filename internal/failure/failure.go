// Package failure writes to the log what failed and what was refused.
//
// Invariants:
//   - All of it has one form: level, message, code, and what the caller adds, such as the
//     route or the event and the user. Ids of the request come from the context (package trace).
//   - Only a server error has its cause in the log. The message of any other error may quote
//     what the client sent, so its code has to do.
//   - A refusal by a limit names the setting that decides. A flood of them makes one line a
//     second for each code and setting; a line says how many were left out before it.
package failure

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"golang.org/x/time/rate"

	"expenseflow/models"
)

// How many lines there are of refusals with one code by one setting: burst at once, then one each interval.
const (
	refusalBurst    = 10
	refusalInterval = time.Second
)

// A Reporter writes failures to a log. Its methods may be called concurrently.
type Reporter struct {
	log *slog.Logger

	mu       sync.Mutex
	refusals map[string]*refusals // by code and setting, which are constants of the program
}

// refusals are those with one code by one setting.
type refusals struct {
	lines *rate.Limiter
	left  int // without a line since the last one
}

// New returns a Reporter that writes to log.
func New(log *slog.Logger) *Reporter {
	return &Reporter{log: log, refusals: make(map[string]*refusals)}
}

// Report writes one failure. msg says what failed, code is what the client was told, and
// attrs must contain nothing that a client wrote.
func (r *Reporter) Report(ctx context.Context, msg, code string, err error, attrs ...slog.Attr) {
	if setting := settingOf(err); setting != "" {
		r.Refused(ctx, msg, code, setting, attrs...)
		return
	}
	attrs = append(attrs, slog.String("code", code))
	level := slog.LevelWarn
	if !ByClient(err) {
		level = slog.LevelError
		attrs = append(attrs, slog.Any("error", err))
	}
	if ctx.Err() != nil {
		level = slog.LevelDebug // the client disconnected, which canceled the work
	}
	r.log.LogAttrs(ctx, level, msg, attrs...)
}

// ByClient reports whether err is the client's: neither a server error nor a refusal by a
// limit.
func ByClient(err error) bool {
	kind := models.KindOf(err)
	return kind != models.Internal && kind != models.Unavailable && settingOf(err) == ""
}

// settingOf returns the setting of the limit that err is about; "" if it is about none.
func settingOf(err error) string {
	var e *models.Error
	if errors.As(err, &e) {
		return e.Setting
	}
	return ""
}

// Refused writes a refusal by a limit, unless there were too many with this code and
// setting.
func (r *Reporter) Refused(ctx context.Context, msg, code, setting string, attrs ...slog.Attr) {
	left, ok := r.take(code + " " + setting)
	if !ok {
		return
	}
	attrs = append(attrs, slog.String("code", code), slog.String("setting", setting))
	if left > 0 {
		attrs = append(attrs, slog.Int("left_out", left))
	}
	r.log.LogAttrs(ctx, slog.LevelWarn, msg, attrs...)
}

// take reports whether a refusal of this kind gets a line, and how many before it got none.
func (r *Reporter) take(kind string) (left int, ok bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	of := r.refusals[kind]
	if of == nil {
		of = &refusals{lines: rate.NewLimiter(rate.Every(refusalInterval), refusalBurst)}
		r.refusals[kind] = of
	}
	if !of.lines.Allow() {
		of.left++
		return 0, false
	}
	left, of.left = of.left, 0
	return left, true
}
