// Package operator is what whoever runs the program may do to its accounts from the command
// line: an http.Handler that does it where the database is open, and a Client that asks for
// it. Both may be in one process, or connected by a socket that only the operator can open
// (internal/control).
//
// What it promises:
//
//   - Whoever can call the handler may do everything; it asks for no token.
//   - A new password, a sign-out and a deletion end every token of the account, and its
//     sockets as a sign-out over HTTP does.
//   - No password and no token is logged. What was done is logged with the id of the account.
//   - An error is one sentence that says what to do.
package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"time"

	"expenseflow/internal/importer"
	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// Options is what the handler needs.
type Options struct {
	Store    *store.Store
	Accounts *ledger.Accounts
	Ledger   *ledger.Ledger
	Importer *importer.Importer

	// Issue makes a token of this age; 0 is that of a sign-in. It is nil where the operator
	// may not make tokens, and NoTokens says why.
	Issue    func(u models.User, age time.Duration) (token string, expires time.Time, err error)
	NoTokens string

	// SignedOut is called after all tokens of a user have ended; nil without sockets in this
	// process.
	SignedOut func(userID string)

	// ImportProgress tells a user's devices how far the import of an export is; nil without sockets
	// in this process.
	ImportProgress func(userID string, p wire.ImportProgress)

	// Overview returns how the server is doing; nil where there is none.
	Overview func(ctx context.Context) wire.ServerOverview

	Logger *slog.Logger
}

// A User is an account in answers.
type User struct {
	ID         string     `json:"id"`
	Email      string     `json:"email"`
	Name       string     `json:"name"`
	CreatedAt  time.Time  `json:"createdAt"`
	Expenses   int64      `json:"expenses"`
	LastChange *time.Time `json:"lastChange,omitempty"` // of the newest stored change; nil before the first
}

// A Token is a new token in an answer.
type Token struct {
	Token     string    `json:"token"`
	ExpiresAt time.Time `json:"expiresAt"`
	UserID    string    `json:"userId"`
}

// A Database is the state of the database in an answer; an empty problem is none.
type Database struct {
	Dialect string `json:"dialect"` // "sqlite" or "postgres"
	Read    string `json:"read,omitempty"`
	Write   string `json:"write,omitempty"`
	Schema  string `json:"schema,omitempty"`

	Clock *time.Time `json:"clock,omitempty"` // what PostgreSQL's showed; nil on SQLite

	LastBackup *time.Time `json:"lastBackup,omitempty"` // of which moment the last verified one is; nil for none
}

// A newUser is the body of a registration. A newPassword is that of a new password, a
// newToken that of a token; 0 seconds are the default.
type (
	newUser struct {
		Email    string `json:"email"`
		Name     string `json:"name"`
		Password string `json:"password"`
	}
	newPassword struct {
		Password string `json:"password"`
	}
	newToken struct {
		Seconds int64 `json:"seconds"`
	}
	failure struct {
		Error string `json:"error"`
	}
)

type handler struct{ Options }

// Handler does what a Client asks for.
func Handler(o Options) http.Handler {
	h, mux := &handler{o}, http.NewServeMux()
	for pattern, do := range map[string]func(http.ResponseWriter, *http.Request) error{
		"GET /backup":                 h.backup,
		"POST /backup":                h.backedUp,
		"GET /database":               h.database,
		"GET /overview":               h.overview,
		"GET /users":                  h.list,
		"POST /users":                 h.create,
		"GET /users/{user}":           h.show,
		"DELETE /users/{user}":        h.remove,
		"POST /users/{user}/password": h.resetPassword,
		"POST /users/{user}/sign-out": h.signOut,
		"POST /users/{user}/token":    h.token,
		"POST /import/accounts":       h.importAccounts,
		"POST /import/export":         h.importExport,
		"POST /import/file":           h.importFile,
		"POST /import/records":        h.importRecords,
		"GET /users/{user}/export":    h.export,
	} {
		mux.HandleFunc(pattern, func(w http.ResponseWriter, r *http.Request) {
			if err := do(w, r); err != nil {
				h.fail(w, r, err)
			}
		})
	}
	return mux
}

// statuses are those of errors that are not the server's.
var statuses = map[models.Kind]int{
	models.Invalid: http.StatusBadRequest, models.Forbidden: http.StatusForbidden, models.NotFound: http.StatusNotFound,
	models.Conflict: http.StatusConflict, models.Unavailable: http.StatusServiceUnavailable,
	models.TooLarge: http.StatusRequestEntityTooLarge,
}

// fail answers with the sentence of err.
func (h *handler) fail(w http.ResponseWriter, r *http.Request, err error) {
	status, known := statuses[models.KindOf(err)]
	if !known {
		status = http.StatusInternalServerError
	}
	msg := h.sentence(r, err)
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	_ = json.NewEncoder(w).Encode(failure{msg}) // a client that has gone needs no answer
}

// sentence returns the sentence of err. The cause is for the operator, so it is that where there
// is no sentence.
func (h *handler) sentence(r *http.Request, err error) string {
	var invalid *models.InvalidError
	if errors.As(err, &invalid) {
		return wire.JoiMessage(invalid.Violations[0])
	}
	if _, known := statuses[models.KindOf(err)]; !known {
		h.Logger.ErrorContext(r.Context(), "a command failed", slog.String("path", r.Pattern), slog.Any("error", err))
		return err.Error()
	}
	return models.Message(err)
}

func answer(w http.ResponseWriter, v any) error {
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(v) // a client that has gone needs no answer
	return nil
}

// maxBody bounds bodies that are no streams.
const maxBody = 64 << 10

func decode[T any](w http.ResponseWriter, r *http.Request) (v T, err error) {
	if err := json.NewDecoder(http.MaxBytesReader(w, r.Body, maxBody)).Decode(&v); err != nil {
		return v, &models.Error{Kind: models.Invalid, Msg: "The request is not the JSON of this version of the program", Err: err}
	}
	return v, nil
}

// user returns the account that the path names by its address or its id.
func (h *handler) user(r *http.Request) (models.User, error) {
	return h.named(r.Context(), r.PathValue("user"))
}

// named returns the account of an address or an id.
func (h *handler) named(ctx context.Context, name string) (models.User, error) {
	find := h.Store.UserByID
	if !models.IsID(name) {
		name, find = models.NormalizeEmail(name), h.Store.UserByEmail
	}
	u, err := find(ctx, name)
	if models.KindOf(err) == models.NotFound {
		return u, models.E(models.NotFound, fmt.Sprintf("There is no account %s: expenseflow users list shows all", name))
	}
	return u, err
}

// ended is done after all tokens of the account have ended: its sockets end too.
func (h *handler) ended(w http.ResponseWriter, r *http.Request, did string, u models.User) error {
	if h.SignedOut != nil {
		h.SignedOut(u.ID)
	}
	return h.done(w, r, did, u)
}

// done logs what was done to whom, and answers with the account as it was.
func (h *handler) done(w http.ResponseWriter, r *http.Request, did string, u models.User) error {
	h.Logger.InfoContext(r.Context(), "an operator "+did, slog.String("user_id", u.ID))
	return answer(w, userOf(u))
}

func userOf(u models.User) User {
	return accountOf(store.Account{
		ID: u.ID, Email: u.Email, Name: u.Name, CreatedAt: u.CreatedAt, Expenses: u.Expenses, LastSyncedAt: u.SyncedAt,
	})
}

func accountOf(a store.Account) User {
	u := User{ID: a.ID, Email: a.Email, Name: a.Name, CreatedAt: a.CreatedAt, Expenses: a.Expenses}
	if !a.LastSyncedAt.IsZero() {
		u.LastChange = &a.LastSyncedAt
	}
	return u
}
