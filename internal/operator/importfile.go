package operator

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"

	"expenseflow/internal/bankfile"
	"expenseflow/internal/importer"
	"expenseflow/internal/portable"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// A fileLine is a line of the answer to a file: how far its import is, and at last what became of
// it, or why it failed.
type fileLine struct {
	Progress *wire.ImportProgress `json:"progress,omitempty"`
	Done     json.RawMessage      `json:"done,omitempty"`
	Error    string               `json:"error,omitempty"`
}

// importFile imports a file of a bank or another program, which is the body, into the account that
// the query names, as POST /api/import does with the other parameters of the query.
func (h *handler) importFile(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	u, err := h.named(r.Context(), query.Get("user"))
	if err != nil {
		return err
	}
	data, err := io.ReadAll(io.LimitReader(r.Body, bankfile.MaxBytes+1))
	if err != nil {
		return err
	}
	if portable.Detect(data[:min(len(data), portable.DetectBytes)]) {
		return models.E(models.Invalid, "This is an export of this program: expenseflow import json brings it back")
	}
	file, err := importer.ParseRequest(query, data)
	if err != nil {
		return err
	}
	lines := &fileLines{ResponseWriter: w}
	file.Progress = func(p wire.ImportProgress) { lines.write(fileLine{Progress: &p}) }
	done, err := h.runFile(r.Context(), u.ID, file, query.Get("dryRun") != "")
	switch {
	case err != nil && !lines.begun:
		return err
	case err != nil:
		lines.write(fileLine{Error: h.sentence(r, err)})
	default:
		lines.write(fileLine{Done: done})
	}
	return nil
}

// runFile imports a file or previews it, and returns the document that the API answers.
func (h *handler) runFile(ctx context.Context, userID string, file importer.Request, dryRun bool) (json.RawMessage, error) {
	if dryRun {
		p, err := h.Importer.Preview(ctx, userID, file)
		if err != nil {
			return nil, err
		}
		return json.Marshal(p)
	}
	result, err := h.Importer.Import(ctx, userID, models.Author{}, file)
	if err != nil {
		return nil, err
	}
	h.Logger.InfoContext(ctx, "an operator imported a file", slog.String("user_id", userID))
	return json.Marshal(result)
}

// fileLines writes lines of JSON that are sent at once.
type fileLines struct {
	http.ResponseWriter
	begun bool
}

func (l *fileLines) write(line fileLine) {
	l.begun = true
	_ = json.NewEncoder(l).Encode(line) // a client that has gone ends the request's context
	_ = http.NewResponseController(l.ResponseWriter).Flush()
}

// ImportFile imports a file into an account, as POST /api/import does with these parameters, of
// which "user" is the account's address or id. It returns what that answers. progress may be nil.
func (c *Client) ImportFile(
	ctx context.Context, file io.Reader, query url.Values, progress func(wire.ImportProgress),
) (json.RawMessage, error) {
	body, err := c.open(ctx, http.MethodPost, "/import/file?"+query.Encode(), file)
	if err != nil {
		return nil, err
	}
	defer body.Close()
	for in := json.NewDecoder(body); ; {
		var line fileLine
		switch err := in.Decode(&line); {
		case err != nil:
			return nil, fmt.Errorf("the server ended before it was done, so part may be imported; import the file again: %w", err)
		case line.Error != "":
			return nil, errors.New(line.Error)
		case line.Done != nil:
			return line.Done, nil
		case line.Progress != nil && progress != nil:
			progress(*line.Progress)
		}
	}
}
