package operator

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"

	"expenseflow/internal/portable"
	"expenseflow/models"
)

// importExport imports the export of an account, which is the body: into the account that the
// query names, or into that of the export, which is made if it is not here.
func (h *handler) importExport(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	o := portable.ImportOptions{KeepIDs: true, DryRun: query.Get("dryRun") != "", Name: query.Get("name")}
	if into := query.Get("into"); into != "" {
		u, err := h.named(r.Context(), into)
		if err != nil {
			return err
		}
		o.Into = u.ID
	}
	in := portable.Importer{Store: h.Store, Ledger: h.Ledger, Progress: h.ImportProgress}
	did, err := in.Import(r.Context(), r.Body, o)
	if models.KindOf(err) == models.Conflict && o.Into == "" {
		err = &models.Error{
			Kind: models.Conflict, Err: err,
			Msg: "Another account here has the e-mail address of the export: --into and that address imports into it",
		}
	}
	if err != nil {
		return err
	}
	if !o.DryRun {
		h.Logger.InfoContext(r.Context(), "an operator imported an export", slog.String("user_id", did.UserID))
	}
	return answer(w, did)
}

// ImportExport imports the export of an account, a file of this name, into another one, or into its
// own if into is "".
func (c *Client) ImportExport(
	ctx context.Context, file io.Reader, name, into string, dryRun bool,
) (did portable.Summary, err error) {
	query := url.Values{"name": {name}}
	if into != "" {
		query.Set("into", into)
	}
	if dryRun {
		query.Set("dryRun", "1")
	}
	body, err := c.open(ctx, http.MethodPost, "/import/export?"+query.Encode(), file)
	if err != nil {
		return did, err
	}
	defer body.Close()
	if err := json.NewDecoder(body).Decode(&did); err != nil {
		return did, fmt.Errorf("the server ended before it was done, so part may be imported; import the file again: %w", err)
	}
	return did, nil
}
