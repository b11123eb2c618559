package handlers

import (
	"context"
	"mime"
	"net/http"
	"strconv"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/ledger"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// expenseLedger is what changes expenses.
type expenseLedger interface {
	CreateExpense(ctx context.Context, userID string, c ledger.Creation) (models.Expense, error)
	UpdateExpense(ctx context.Context, userID, id string, seen *int64, p models.Patch, by models.Author) (models.Expense, error)
	DeleteExpense(ctx context.Context, userID, id string, by models.Author) (models.Expense, error)
}

// expenseReader is what lists them.
type expenseReader interface {
	EachExpense(ctx context.Context, userID string, fn func(models.Expense) error) error
	Expenses(ctx context.Context, userID string, page, limit int) ([]models.Expense, int64, error)
}

// A List is the form of the list of expenses. Pages of different times read
// different ones (docs/compatibility.md).
type List string

// The forms. Whatever is automatic wraps if page or limit is asked for, and gives
// an array to a GET that names a JSON Content-Type, as one page of the original
// does, which reads nothing else.
const (
	ListAuto        List = "auto"         // otherwise a bare array
	ListAutoWrapped List = "auto-wrapped" // otherwise wrapped
	ListArray       List = "array"        // always a bare array
	ListWrapped     List = "wrapped"      // always wrapped
)

// wraps reports whether the answer to a request is {success, data, pagination}.
func (l List) wraps(r *http.Request, paged bool) bool {
	switch l {
	case ListArray:
		return false
	case ListWrapped:
		return true
	}
	return paged || l == ListAutoWrapped && !isJSON(r.Header.Get(echo.HeaderContentType))
}

func isJSON(contentType string) bool {
	t, _, err := mime.ParseMediaType(contentType)
	return err == nil && t == echo.MIMEApplicationJSON
}

// Page sizes: the original's default, and a bound for what is held in memory.
const (
	defaultLimit = 50
	maxLimit     = 1000
)

// Expenses answers /api/expenses.
type Expenses struct {
	Ledger expenseLedger
	Reader expenseReader
	List   List
}

// Register puts the routes below /api; guard lets only known callers in.
func (h *Expenses) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	get(api, "/expenses", h.list, guard...)
	api.POST("/expenses", h.create, guard...)
	api.PUT("/expenses/:id", h.update, guard...)
	api.DELETE("/expenses/:id", h.remove, guard...)
}

// list handles GET /api/expenses: newest first, everything, or one page if page
// or limit is asked for.
//
//	200 [expense...], or {success, data, pagination}    401 no good token
func (h *Expenses) list(c echo.Context) error {
	q := c.QueryParams()
	paged := q.Has("page") || q.Has("limit")
	wrapped := h.List.wraps(c.Request(), paged)
	if !paged {
		return h.all(c, wrapped)
	}
	page := whole(q.Get("page"), 1, 1<<31)
	limit := whole(q.Get("limit"), defaultLimit, maxLimit)
	es, total, err := h.Reader.Expenses(c.Request().Context(), caller(c.Request().Context()).User.ID, page, limit)
	if err != nil {
		return err
	}
	document := wire.NewPage(es, total, page, limit)
	if !wrapped {
		return respond(c, http.StatusOK, document.Data)
	}
	return respond(c, http.StatusOK, document)
}

// whole reads a positive number as the original did: what is none is otherwise.
func whole(s string, otherwise, most int) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return otherwise
	}
	return min(n, most)
}

// all streams every expense, however many there are.
func (h *Expenses) all(c echo.Context, wrapped bool) error {
	start := "["
	if wrapped {
		start = `{"success":true,"data":[`
	}
	s, n := newStream(c, start), 0
	err := h.Reader.EachExpense(c.Request().Context(), caller(c.Request().Context()).User.ID, func(e models.Expense) error {
		n++
		return s.list(n, func(b []byte) []byte { return wire.AppendExpense(b, &e) })
	})
	if err != nil {
		return err
	}
	if wrapped {
		return s.finish(`],"pagination":` + onePage(n) + `}`)
	}
	return s.finish("]")
}

// onePage says that a list of n is all there is.
func onePage(n int) string {
	all, pages := strconv.Itoa(n), strconv.Itoa(min(n, 1))
	return `{"total":` + all + `,"page":1,"limit":` + strconv.Itoa(max(n, 1)) + `,"pages":` + pages + `}`
}

// create handles POST /api/expenses. A header Idempotency-Key, or a clientId in
// the body, makes its repetition harmless.
//
//	201 the stored expense     401 no good token
//	400 the contract's text    409 the same key with other data
func (h *Expenses) create(c echo.Context) error {
	draft, meta, by, err := sent(c, wire.ParseDraft)
	if err != nil {
		return err
	}
	key, err := headerName(c, "Idempotency-Key")
	if err != nil {
		return err
	}
	e, err := h.Ledger.CreateExpense(c.Request().Context(), caller(c.Request().Context()).User.ID,
		ledger.Creation{Draft: draft, Author: by, RequestID: key, ClientID: meta.ClientID, Posted: true})
	if err != nil {
		return err
	}
	return jsonBytes(c, http.StatusCreated, wire.AppendExpense(nil, &e))
}

// update handles PUT /api/expenses/:id, whose body is a whole expense.
//
//	200 the stored expense     404 absent or another user's
//	400 the contract's text    409 a newer version is stored; it is in the reply
//	403 the caller may only read it
func (h *Expenses) update(c echo.Context) error {
	patch, meta, by, err := sent(c, wire.ParseFull)
	if err != nil {
		return err
	}
	e, err := h.Ledger.UpdateExpense(c.Request().Context(), caller(c.Request().Context()).User.ID, c.Param("id"), meta.Version, patch, by)
	if err != nil {
		return err
	}
	return jsonBytes(c, http.StatusOK, wire.AppendExpense(nil, &e))
}

// remove handles DELETE /api/expenses/:id, whose body may name the device.
//
//	200 {message}    404 absent, another user's, or deleted already
//	403 somebody else shares it with the caller
func (h *Expenses) remove(c echo.Context) error {
	by, err := sender(c)
	if err != nil {
		return err
	}
	if _, err := h.Ledger.DeleteExpense(c.Request().Context(), caller(c.Request().Context()).User.ID, c.Param("id"), by); err != nil {
		return err
	}
	return respond(c, http.StatusOK, message{Message: "Expense deleted"})
}
