package handlers

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/failpoint"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// reconciler is what applies offline queues.
type reconciler interface {
	Apply(ctx context.Context, userID string, by models.Author, ops []models.Operation) ([]models.Result, error)
	Status(ctx context.Context, userID string) (lastSync *time.Time, pending int64, err error)
	EachPending(ctx context.Context, userID string, fn func(models.QueuedOperation) error) error
	Retry(ctx context.Context, userID string, by models.Author, id string, data json.RawMessage) (models.Result, error)
	Discard(ctx context.Context, userID, id string) error
	Pull(ctx context.Context, userID string, since time.Time, fn func(models.Expense) error) (next time.Time, err error)
	Missed(ctx context.Context, userID string, since *models.Cursor, limit int) (models.LogPage, error)
	Snapshot(ctx context.Context, userID string, fn func(seq int64, e models.Expense) error) (seq int64, err error)
	Delta(ctx context.Context, userID string, by models.Author, changes []models.DeltaChange) ([]models.DeltaResult, error)
}

// Sync answers /api/sync.
type Sync struct{ Reconciler reconciler }

// Register puts the routes below /api. guard lets only known callers in;
// batches have a guard of their own, which may be more patient with tokens.
func (h *Sync) Register(api *echo.Group, guard, batch []echo.MiddlewareFunc) {
	api.POST("/sync/batch", h.batch, batch...)
	get(api, "/sync/status", h.status, guard...)
	get(api, "/sync/pending", h.pending, guard...)
	api.POST("/sync/pending/:id/retry", h.retry, guard...)
	api.DELETE("/sync/pending/:id", h.discard, guard...)
	get(api, "/sync/pull", h.pull, guard...)
	get(api, "/sync/changes", h.changes, guard...)
	api.POST("/sync/delta", h.delta, guard...)
}

// batch handles POST /api/sync/batch.
//
//	200 {results}: one for each operation, in their order    409 under way already, if so chosen
//	400 what a browser's queue cannot produce                503 send the same again later
func (h *Sync) batch(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	ops, err := wire.ParseBatch(b)
	if err != nil {
		return err
	}
	by, err := author(c, "")
	if err != nil {
		return err
	}
	results, err := h.Reconciler.Apply(c.Request().Context(), caller(c.Request().Context()).User.ID, by, ops)
	if err != nil {
		return err
	}
	return jsonBytes(c, http.StatusOK, wire.AppendResults(nil, results))
}

// status handles GET /api/sync/status.
//
//	200 {lastSync, pendingOperations}    401 no good token
func (h *Sync) status(c echo.Context) error {
	last, pending, err := h.Reconciler.Status(c.Request().Context(), caller(c.Request().Context()).User.ID)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewSyncStatus(last, pending))
}

// pending handles GET /api/sync/pending.
//
//	200 [parked operation...], oldest first    401 no good token
func (h *Sync) pending(c echo.Context) error {
	s, n := newStream(c, "["), 0
	err := h.Reconciler.EachPending(c.Request().Context(), caller(c.Request().Context()).User.ID, func(op models.QueuedOperation) error {
		n++
		return s.list(n, func(b []byte) []byte { return wire.AppendQueued(b, &op) })
	})
	if err != nil {
		return err
	}
	return s.finish("]")
}

// retry handles POST /api/sync/pending/:id/retry.
//
//	200 the operation's result, which may be that it stays parked    404 no such operation
func (h *Sync) retry(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	data, err := wire.ParseRetry(b)
	if err != nil {
		return err
	}
	by, err := author(c, "")
	if err != nil {
		return err
	}
	r, err := h.Reconciler.Retry(c.Request().Context(), caller(c.Request().Context()).User.ID, by, c.Param("id"), data)
	if err != nil {
		return err
	}
	return jsonBytes(c, http.StatusOK, wire.AppendResult(nil, &r))
}

// discard handles DELETE /api/sync/pending/:id.
//
//	200 {message}    404 no such operation, or not parked (any more)
func (h *Sync) discard(c echo.Context) error {
	if err := h.Reconciler.Discard(c.Request().Context(), caller(c.Request().Context()).User.ID, c.Param("id")); err != nil {
		return err
	}
	return respond(c, http.StatusOK, message{Message: "Operation discarded"})
}

// pull handles GET /api/sync/pull?lastSyncTime=, of the frontend's last version.
//
//	200 {success, changes, serverTime}    400 lastSyncTime is no date
func (h *Sync) pull(c echo.Context) error {
	var since time.Time
	if text := c.QueryParam("lastSyncTime"); text != "" {
		t, ok := wire.ParseTime(text)
		if !ok {
			return models.E(models.Invalid, `"lastSyncTime" must be a valid date`)
		}
		since = t
	}
	s, n := newStream(c, `{"success":true,"changes":[`), 0
	next, err := h.Reconciler.Pull(c.Request().Context(), caller(c.Request().Context()).User.ID, since, func(e models.Expense) error {
		n++
		return s.list(n, func(b []byte) []byte { return wire.AppendPulled(b, &e) })
	})
	if err != nil {
		return err
	}
	serverTime, err := json.Marshal(wire.Time(next))
	if err != nil {
		return err
	}
	return s.finish(`],"serverTime":` + string(serverTime) + `}`)
}

// Page sizes of the log. A page is held in memory.
const (
	defaultChanges = 100
	maxChanges     = 500
)

// changes handles GET /api/sync/changes?since=&limit=, for clients that ask for
// what they missed. Where the log cannot tell, and without since, it answers with
// all expenses as they are at a sequence. Either way the client goes on with next.
//
//	200 {epoch, since, head, next, more, changes}    400 since or limit is none
//	200 {epoch, snapshot, seq, next, expenses}       401 no good token
func (h *Sync) changes(c echo.Context) error {
	since, err := wire.ParseSince(c.QueryParam("since"))
	if err != nil {
		return err
	}
	limit, err := wire.ParseLimit(c.QueryParam("limit"), defaultChanges, maxChanges)
	if err != nil {
		return err
	}
	userID := caller(c.Request().Context()).User.ID
	page, err := h.Reconciler.Missed(c.Request().Context(), userID, since, limit)
	switch {
	case err != nil:
		return err
	case page.Whole:
		return h.snapshot(c, userID, page.Epoch)
	}
	return jsonBytes(c, http.StatusOK, wire.AppendPage(nil, userID, &page))
}

// snapshot streams all expenses of the user, however many there are.
func (h *Sync) snapshot(c echo.Context, userID, epoch string) error {
	s, n := newStream(c, ""), 0
	start := func(seq int64) { s.buf = wire.AppendSnapshotStart(s.buf, epoch, userID, seq) }
	seq, err := h.Reconciler.Snapshot(c.Request().Context(), userID, func(seq int64, e models.Expense) error {
		if n++; n == 1 {
			start(seq)
		}
		failpoint.Here(failpoint.InSnapshot)
		return s.list(n, func(b []byte) []byte { return wire.AppendExpense(b, &e) })
	})
	if err != nil {
		return err
	}
	if n == 0 {
		start(seq)
	}
	return s.finish("]}")
}

// delta handles POST /api/sync/delta, of the frontend's last version.
//
//	200 {success, conflicts, errors}    400 no list of changes    503 send the same again later
func (h *Sync) delta(c echo.Context) error {
	b, err := body(c)
	if err != nil {
		return err
	}
	changes, err := wire.ParseDelta(b)
	if err != nil {
		return err
	}
	by, err := author(c, "")
	if err != nil {
		return err
	}
	results, err := h.Reconciler.Delta(c.Request().Context(), caller(c.Request().Context()).User.ID, by, changes)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewDelta(results))
}
