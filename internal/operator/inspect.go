package operator

import (
	"net/http"

	"expenseflow/models"
)

// database reports whether the database can be read and written, and has the schema of this
// program.
func (h *handler) database(w http.ResponseWriter, r *http.Request) error {
	problem := func(err error) string {
		if err == nil {
			return ""
		}
		return err.Error()
	}
	ctx, found := r.Context(), Database{Dialect: h.Store.Dialect()}
	if clock, known, err := h.Store.ServerClock(ctx); err == nil && known {
		found.Clock = &clock
	}
	if of, err := h.Store.LastBackup(ctx); err == nil && !of.IsZero() {
		found.LastBackup = &of
	}
	found.Read, found.Write = problem(h.Store.Ping(ctx)), problem(h.Store.Writable(ctx))
	found.Schema = problem(h.Store.Migrated(ctx))
	return answer(w, found)
}

// overview answers how the server is doing.
func (h *handler) overview(w http.ResponseWriter, r *http.Request) error {
	if h.Overview == nil {
		return models.E(models.NotFound, "no server runs here")
	}
	return answer(w, h.Overview(r.Context()))
}
