package backup

import (
	"context"
	"errors"
	"io"
	"os"
	"time"

	"expenseflow/internal/store/transfer"
)

// SQLite is the Source of a SQLite file. Copy writes the file, as it is at one moment, to w: it
// asks whoever has the file open.
type SQLite struct {
	Copy func(ctx context.Context, w io.Writer) (of time.Time, held transfer.Summary, err error)
}

// Suffix implements Source.
func (SQLite) Suffix() string { return ".db" }

// Write implements Source.
func (s SQLite) Write(ctx context.Context, path string) (of time.Time, held transfer.Summary, err error) {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, ownerOnly)
	if err != nil {
		return of, held, err
	}
	of, held, err = s.Copy(ctx, f)
	return of, held, errors.Join(err, f.Close())
}

// Inspect implements Source.
func (SQLite) Inspect(ctx context.Context, path string) (transfer.Summary, error) {
	return transfer.InspectFile(ctx, path)
}
