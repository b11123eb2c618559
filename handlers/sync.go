package handlers

import (
	"context"
	"encoding/json"
	"net/http"
	"time"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/fair"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// reconciler is implemented by *reconcile.Reconciler.
type reconciler interface {
	Apply(ctx context.Context, userID string, by models.Author, ops []models.Operation) ([]models.Result, error)
	Status(ctx context.Context, userID string) (lastSync *time.Time, pending int64, err error)
	EachPending(ctx context.Context, userID string, fn func(models.QueuedOperation) error) error
	Retry(ctx context.Context, userID string, by models.Author, id string, data json.RawMessage) (models.Result, error)
	Discard(ctx context.Context, userID, id string) error
	ParkedPage(ctx context.Context, userID string, after models.ParkedPlace, limit int) (models.ParkedPage, error)
	DiscardAll(ctx context.Context, userID string, through models.ParkedPlace) (discarded, left int64, err error)
	RetryAll(ctx context.Context, userID string, by models.Author, after, through models.ParkedPlace) (models.RetriedPage, error)
	Pull(ctx context.Context, userID string, since time.Time, fn func(models.Expense) error) (next time.Time, err error)
	ChangesSince(ctx context.Context, userID string, since *models.Cursor, limit int) (models.LogPage, error)
	Snapshot(ctx context.Context, userID string, fn func(seq int64, e models.Expense) error) (seq int64, err error)
	Delta(ctx context.Context, userID string, by models.Author, changes []models.DeltaChange) ([]models.DeltaResult, error)
}

// Sync handles the routes of /api/sync.
type Sync struct {
	Reconciler reconciler
	Processors *fair.Processors // where long queues are parsed
}

// longQueue is from how many bytes on parsing a queue takes milliseconds.
const longQueue = 64 << 10

// parseQueue reads the body and parses it; a long one waits for its user's turn.
func parseQueue[T any](h *Sync, c echo.Context, parse func(json.RawMessage) ([]T, error)) (queue []T, err error) {
	b, err := body(c)
	if err != nil {
		return nil, err
	}
	if len(b) <= longQueue {
		return parse(b)
	}
	ctx := c.Request().Context()
	busy := h.Processors.Do(ctx, userID(c), func() { queue, err = parse(b) })
	if busy != nil {
		return nil, &models.Error{
			Kind: models.Unavailable, Code: "BODY_LIMIT", RetryAfter: 5 * time.Second, Setting: models.FixedLimit, Err: busy,
			Msg: "Too many large requests are under way, please try again",
		}
	}
	return queue, err
}

// Register adds the routes to api. guard authenticates the caller; batch does so for
// batches, for which an expired token may still be accepted.
func (h *Sync) Register(api *echo.Group, guard, batch []echo.MiddlewareFunc) {
	api.POST("/sync/batch", h.batch, batch...)
	get(api, "/sync/status", h.status, guard...)
	get(api, "/sync/pending", h.pending, guard...)
	api.DELETE("/sync/pending", h.discardAll, guard...)
	api.POST("/sync/pending/retry", h.retryAll, guard...)
	api.POST("/sync/pending/:id/retry", h.retry, guard...)
	api.DELETE("/sync/pending/:id", h.discard, guard...)
	get(api, "/sync/pull", h.pull, guard...)
	get(api, "/sync/changes", h.changes, guard...)
	api.POST("/sync/delta", h.delta, guard...)
}

// batch handles POST /api/sync/batch.
//
//	200 {results}: one for each operation, in order    409 in progress already (SYNC_DUP_INFLIGHT=409)
//	400 invalid structure                              503 temporary error, retry
func (h *Sync) batch(c echo.Context) error {
	ops, err := parseQueue(h, c, wire.ParseBatch)
	if err != nil {
		return err
	}
	by, err := authorFrom(c, "")
	if err != nil {
		return err
	}
	results, err := h.Reconciler.Apply(c.Request().Context(), userID(c), by, ops)
	if err != nil {
		return err
	}
	return jsonBytes(c, http.StatusOK, wire.AppendResults(nil, results))
}

// status handles GET /api/sync/status.
//
//	200 {lastSync, pendingOperations}    401 invalid token
func (h *Sync) status(c echo.Context) error {
	last, pending, err := h.Reconciler.Status(c.Request().Context(), userID(c))
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewSyncStatus(last, pending))
}

// pending handles GET /api/sync/pending; with limit or after it sends a page.
//
//	200 [parked operation...], oldest first    401 invalid token
func (h *Sync) pending(c echo.Context) error {
	if q := c.QueryParams(); q.Has("limit") || q.Has("after") {
		return h.pendingPage(c)
	}
	s, n := newStream(c, "["), 0
	err := h.Reconciler.EachPending(c.Request().Context(), userID(c), func(op models.QueuedOperation) error {
		n++
		return s.element(n, func(b []byte) []byte { return wire.AppendQueuedOperation(b, &op) })
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
	by, err := authorFrom(c, "")
	if err != nil {
		return err
	}
	r, err := h.Reconciler.Retry(c.Request().Context(), userID(c), by, c.Param("id"), data)
	if err != nil {
		return err
	}
	return jsonBytes(c, http.StatusOK, wire.AppendResult(nil, &r))
}

// discard handles DELETE /api/sync/pending/:id.
//
//	200 {message}    404 no such parked operation
func (h *Sync) discard(c echo.Context) error {
	if err := h.Reconciler.Discard(c.Request().Context(), userID(c), c.Param("id")); err != nil {
		return err
	}
	return respond(c, http.StatusOK, message{Message: "Operation discarded"})
}

// pull handles GET /api/sync/pull?lastSyncTime=, which the last version of the original
// frontend uses.
//
//	200 {success, changes, serverTime}    400 invalid lastSyncTime
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
	next, err := h.Reconciler.Pull(c.Request().Context(), userID(c), since, func(e models.Expense) error {
		n++
		return s.element(n, func(b []byte) []byte { return wire.AppendPulledExpense(b, &e) })
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

// changes handles GET /api/sync/changes?since=&limit=: the changes after a position. Without
// since, and if the log does not reach back to it, the response is a snapshot of all
// expenses at a sequence. In both cases the client continues from next.
//
//	200 {epoch, since, head, next, more, changes}    400 invalid since or limit
//	200 {epoch, snapshot, seq, next, expenses}       401 invalid token
func (h *Sync) changes(c echo.Context) error {
	since, err := wire.ParseSince(c.QueryParam("since"))
	if err != nil {
		return err
	}
	limit, err := wire.ParseLimit(c.QueryParam("limit"), defaultChanges, maxChanges)
	if err != nil {
		return err
	}
	uid := userID(c)
	page, err := h.Reconciler.ChangesSince(c.Request().Context(), uid, since, limit)
	switch {
	case err != nil:
		return err
	case page.NeedsSnapshot:
		return h.snapshot(c, uid, page.Epoch)
	}
	return jsonBytes(c, http.StatusOK, wire.AppendLogPage(nil, uid, &page))
}

// snapshot streams all expenses of the user in constant memory.
func (h *Sync) snapshot(c echo.Context, userID, epoch string) error {
	s, n := newStream(c, ""), 0
	start := func(seq int64) { s.buf = wire.AppendSnapshotStart(s.buf, epoch, userID, seq) }
	seq, err := h.Reconciler.Snapshot(c.Request().Context(), userID, func(seq int64, e models.Expense) error {
		if n++; n == 1 {
			start(seq)
		}
		return s.element(n, func(b []byte) []byte { return wire.AppendExpense(b, &e) })
	})
	if err != nil {
		return err
	}
	if n == 0 {
		start(seq)
	}
	return s.finish("]}")
}

// delta handles POST /api/sync/delta, which the last version of the original frontend uses.
//
//	200 {success, conflicts, errors}    400 no list of changes    503 temporary error, retry
func (h *Sync) delta(c echo.Context) error {
	changes, err := parseQueue(h, c, wire.ParseDelta)
	if err != nil {
		return err
	}
	by, err := authorFrom(c, "")
	if err != nil {
		return err
	}
	results, err := h.Reconciler.Delta(c.Request().Context(), userID(c), by, changes)
	if err != nil {
		return err
	}
	return respond(c, http.StatusOK, wire.NewDelta(results))
}
