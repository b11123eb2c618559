package operator

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"time"

	"expenseflow/internal/store/transfer"
)

// A Copy describes the copy of a database file that Client.Backup writes.
type Copy struct {
	Of   time.Time         `json:"of"`   // the moment of which it is, by the clock of whoever has the database
	Held transfer.Summary  `json:"held"` // what the database held then
	Size transfer.FileSize `json:"size"`
}

// A verified is the body of the report that a backup was verified.
type verified struct {
	Of time.Time `json:"of"`
}

// stallTimeout is for how long a client may take nothing of a copy: while it takes its time, the
// WAL of the database grows.
const stallTimeout = 30 * time.Second

// backup answers with a Copy on a line, and the bytes of the file after it.
func (h *handler) backup(w http.ResponseWriter, r *http.Request) error {
	out, began, of := bufio.NewWriterSize(&patientWriter{w, http.NewResponseController(w)}, 1<<18), false, time.Now().UTC()
	err := transfer.CopyFile(r.Context(), h.Store, func(held transfer.Summary, size transfer.FileSize) error {
		began = true
		return json.NewEncoder(out).Encode(Copy{of, held, size})
	}, func(page []byte) error {
		_, err := out.Write(page)
		return err
	})
	if err == nil {
		err = out.Flush()
	}
	if err != nil && began {
		h.Logger.WarnContext(r.Context(), "a backup was broken off", slog.Any("error", err))
		panic(http.ErrAbortHandler) // the client sees that the answer is not whole
	}
	return err
}

// A patientWriter gives each write stallTimeout.
type patientWriter struct {
	io.Writer
	connection *http.ResponseController
}

func (p *patientWriter) Write(b []byte) (int, error) {
	if err := p.connection.SetWriteDeadline(time.Now().Add(stallTimeout)); err != nil {
		return 0, err
	}
	return p.Writer.Write(b)
}

// backedUp records that a backup was verified.
func (h *handler) backedUp(w http.ResponseWriter, r *http.Request) error {
	body, err := decode[verified](w, r)
	if err == nil {
		err = h.Store.RecordBackup(r.Context(), body.Of)
	}
	if err != nil {
		return err
	}
	h.Logger.InfoContext(r.Context(), "an operator made a backup, which was verified", slog.Time("of", body.Of))
	return answer(w, body)
}

// Backup writes the SQLite file, as it is at one moment, to w. progress is called with how many
// bytes of how many are written. Without an error the copy is as long as it has to be.
func (c *Client) Backup(ctx context.Context, w io.Writer, progress func(done, of int64)) (copied Copy, err error) {
	body, err := c.open(ctx, http.MethodGet, "/backup", nil)
	if err != nil {
		return copied, err
	}
	defer body.Close()
	in := bufio.NewReaderSize(body, 1<<18)
	line, err := in.ReadSlice('\n')
	if err == nil {
		err = json.Unmarshal(line, &copied)
	}
	if err != nil {
		return copied, fmt.Errorf("the server answers what this version of the program does not know: %w", err)
	}
	n, err := io.Copy(&progressWriter{w: w, of: copied.Size.Bytes(), tell: progress}, in)
	switch {
	case errors.Is(err, io.ErrUnexpectedEOF), err == nil && n != copied.Size.Bytes():
		err = errors.New("the server broke off the copy: its log says why, or it has ended")
	case ctx.Err() != nil:
		err = ctx.Err()
	}
	return copied, err
}

// A progressWriter tells how far it is.
type progressWriter struct {
	w        io.Writer
	done, of int64
	tell     func(done, of int64)
}

func (p *progressWriter) Write(b []byte) (int, error) {
	n, err := p.w.Write(b)
	p.done += int64(n)
	p.tell(p.done, p.of)
	return n, err
}

// BackedUp reports that a backup of the database as it was at a moment was verified.
func (c *Client) BackedUp(ctx context.Context, of time.Time) error {
	_, err := call[verified](ctx, c, http.MethodPost, "/backup", verified{of})
	return err
}
