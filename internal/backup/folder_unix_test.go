//go:build unix

package backup_test

import (
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/backup"
	"expenseflow/internal/store/transfer"
	"expenseflow/models"
)

// Whoever else could write to the folder of backups chose by a link which file was made.
func TestALinkInTheFolderOfBackupsMadeAFileElsewhere(t *testing.T) {
	folder, elsewhere := t.TempDir(), filepath.Join(t.TempDir(), "made")
	lock := filepath.Join(folder, ".expenseflow-backup.lock")
	if err := os.Symlink(elsewhere, lock); err != nil {
		t.Fatal(err)
	}
	_, err := backup.Take(t.Context(), folder, backup.SQLite{
		Copy: func(context.Context, io.Writer) (of time.Time, held transfer.Summary, err error) {
			return of, held, errors.New("asked for a copy")
		},
	})
	if msg := models.Message(err); !strings.Contains(msg, lock+" is a symbolic link") {
		t.Errorf("%v", err)
	}
	if _, err := os.Lstat(elsewhere); err == nil {
		t.Error("the file is there")
	}
}
