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

// expenseLedger is implemented by *ledger.Ledger.
type expenseLedger interface {
	CreateExpense(ctx context.Context, userID string, c ledger.ExpenseCreation) (models.Expense, error)
	UpdateExpense(ctx context.Context, userID, id string, seen *int64, p models.Patch, by models.Author) (models.Expense, error)
	DeleteExpense(ctx context.Context, userID, id string, by models.Author) (models.Expense, error)
	History(ctx context.Context, userID, id string, before int64, limit int) (models.History, error)
}

// expenseReader is implemented by *store.Store.
type expenseReader interface {
	EachExpense(ctx context.Context, userID string, fn func(models.Expense) error) error
	Expenses(ctx context.Context, userID string, page, limit int) ([]models.Expense, int64, error)
}

// A ListFormat is the form of the list of expenses. Different versions of the original's
// pages expect different forms (docs/compatibility.md).
type ListFormat string

// The formats. The automatic ones wrap the list if page or limit is given. Otherwise a
// GET with a JSON Content-Type gets an array, because the page that sends it expects one.
const (
	ListAuto        ListFormat = "auto"         // otherwise a bare array
	ListAutoWrapped ListFormat = "auto-wrapped" // otherwise wrapped
	ListArray       ListFormat = "array"        // always a bare array
	ListWrapped     ListFormat = "wrapped"      // always wrapped
)

// isWrapped reports whether the response to r is {success, data, pagination}.
func (l ListFormat) isWrapped(r *http.Request, paged bool) bool {
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

// Page sizes. A page is held in memory.
const (
	defaultLimit = 50
	maxLimit     = 1000
)

// Expenses handles the routes of /api/expenses.
type Expenses struct {
	Ledger expenseLedger
	Reader expenseReader
	List   ListFormat
}

// Register adds the routes to api. guard authenticates the caller.
func (h *Expenses) Register(api *echo.Group, guard ...echo.MiddlewareFunc) {
	get(api, "/expenses", h.list, guard...)
	api.POST("/expenses", h.create, guard...)
	api.PUT("/expenses/:id", h.update, guard...)
	api.DELETE("/expenses/:id", h.remove, guard...)
	get(api, "/expenses/:id/history", h.history, guard...)
}

// Page sizes of the history of an expense. A page is held in memory.
const (
	defaultHistory = 20
	maxHistory     = 100
)

// history handles GET /api/expenses/:id/history?before=&limit=, newest first, for all users
// with access, and for the owner of a deleted expense.
//
//	200 {expenseId, expense, entries, next, complete}    404 absent, or the caller has no access
//	400 invalid before or limit
func (h *Expenses) history(c echo.Context) error {
	before, err := wire.ParseHistoryCursor(c.QueryParam("before"))
	if err != nil {
		return err
	}
	limit, err := wire.ParseLimit(c.QueryParam("limit"), defaultHistory, maxHistory)
	if err != nil {
		return err
	}
	page, err := h.Ledger.History(c.Request().Context(), userID(c), c.Param("id"), before, limit)
	if err != nil {
		return err
	}
	return jsonBytes(c, http.StatusOK, wire.AppendHistory(nil, c.Param("id"), &page))
}

// list handles GET /api/expenses?page=&limit=, newest first. Without page and limit it
// sends all expenses.
//
//	200 [expense...], or {success, data, pagination}    401 invalid token
func (h *Expenses) list(c echo.Context) error {
	q := c.QueryParams()
	paged := q.Has("page") || q.Has("limit")
	wrapped := h.List.isWrapped(c.Request(), paged)
	if !paged {
		return h.all(c, wrapped)
	}
	page := positiveInt(q.Get("page"), 1, 1<<31)
	limit := positiveInt(q.Get("limit"), defaultLimit, maxLimit)
	es, total, err := h.Reader.Expenses(c.Request().Context(), userID(c), page, limit)
	if err != nil {
		return err
	}
	document := wire.NewExpensePage(es, total, page, limit)
	if !wrapped {
		return respond(c, http.StatusOK, document.Data)
	}
	return respond(c, http.StatusOK, document)
}

// positiveInt parses a positive integer, limited to most. Other texts count as otherwise.
func positiveInt(s string, otherwise, most int) int {
	n, err := strconv.Atoi(s)
	if err != nil || n < 1 {
		return otherwise
	}
	return min(n, most)
}

// all streams every expense in constant memory.
func (h *Expenses) all(c echo.Context, wrapped bool) error {
	start := "["
	if wrapped {
		start = `{"success":true,"data":[`
	}
	s, n := newStream(c, start), 0
	err := h.Reader.EachExpense(c.Request().Context(), userID(c), func(e models.Expense) error {
		n++
		return s.element(n, func(b []byte) []byte { return wire.AppendExpense(b, &e) })
	})
	if err != nil {
		return err
	}
	if wrapped {
		return s.finish(`],"pagination":` + onePage(n) + `}`)
	}
	return s.finish("]")
}

// onePage returns the pagination of a list that contains all n elements.
func onePage(n int) string {
	all, pages := strconv.Itoa(n), strconv.Itoa(min(n, 1))
	return `{"total":` + all + `,"page":1,"limit":` + strconv.Itoa(max(n, 1)) + `,"pages":` + pages + `}`
}

// create handles POST /api/expenses. The header Idempotency-Key, or clientId in the body,
// makes it idempotent.
//
//	201 the stored expense    401 invalid token
//	400 invalid               409 the same key with other data
func (h *Expenses) create(c echo.Context) error {
	draft, meta, by, err := decode(c, wire.ParseDraft)
	if err != nil {
		return err
	}
	key, err := clientName(c, "Idempotency-Key")
	if err != nil {
		return err
	}
	e, err := h.Ledger.CreateExpense(c.Request().Context(), userID(c),
		ledger.ExpenseCreation{Draft: draft, Author: by, RequestID: key, ClientID: meta.ClientID, Posted: true})
	if err != nil {
		return err
	}
	return jsonBytes(c, http.StatusCreated, wire.AppendExpense(nil, &e))
}

// update handles PUT /api/expenses/:id with a complete expense.
//
//	200 the stored expense             404 absent or another user's
//	400 invalid                        409 a newer version is stored (in the response)
//	403 the caller may only read it
func (h *Expenses) update(c echo.Context) error {
	patch, meta, by, err := decode(c, wire.ParseFullPatch)
	if err != nil {
		return err
	}
	e, err := h.Ledger.UpdateExpense(c.Request().Context(), userID(c), c.Param("id"), meta.Version, patch, by)
	if err != nil {
		return err
	}
	return jsonBytes(c, http.StatusOK, wire.AppendExpense(nil, &e))
}

// remove handles DELETE /api/expenses/:id {deviceId?}.
//
//	200 {message}    404 absent, another user's, or deleted already
//	403 the caller is not the owner
func (h *Expenses) remove(c echo.Context) error {
	by, err := author(c)
	if err != nil {
		return err
	}
	if _, err := h.Ledger.DeleteExpense(c.Request().Context(), userID(c), c.Param("id"), by); err != nil {
		return err
	}
	return respond(c, http.StatusOK, message{Message: "Expense deleted"})
}
