package operator

import (
	"bufio"
	"context"
	"io"
	"log/slog"
	"net/http"
	"net/url"

	"expenseflow/internal/portable"
	"expenseflow/models"
)

// export answers with the export of an account: as JSON, with secrets=1 with those of
// portable.Exporter, or with format=csv its expenses.
func (h *handler) export(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	format, secrets := query.Get("format"), query.Get("secrets") != ""
	if format != "json" && format != "csv" {
		return models.E(models.Invalid, "The format is json or csv")
	}
	u, err := h.user(r)
	if err != nil {
		return err
	}
	out, x := bufio.NewWriterSize(w, 1<<16), portable.Exporter{Store: h.Store}
	if format == "csv" {
		err = x.CSV(r.Context(), u.ID, out)
	} else {
		err = x.JSON(r.Context(), u.ID, secrets, out)
	}
	if err == nil {
		err = out.Flush()
	}
	if err != nil {
		h.Logger.WarnContext(r.Context(), "an export was broken off", slog.String("user_id", u.ID), slog.Any("error", err))
		panic(http.ErrAbortHandler) // the client sees that the answer is not whole
	}
	h.Logger.InfoContext(r.Context(), "an operator exported an account", slog.String("user_id", u.ID), slog.Bool("secrets", secrets))
	return nil
}

// Export returns the export of an account, "json" or "csv", which the caller closes. secrets are
// those of portable.Exporter.
func (c *Client) Export(ctx context.Context, user, format string, secrets bool) (io.ReadCloser, error) {
	query := url.Values{"format": {format}}
	if secrets {
		query.Set("secrets", "1")
	}
	return c.open(ctx, http.MethodGet, userPath(user, "/export?"+query.Encode()), nil)
}
