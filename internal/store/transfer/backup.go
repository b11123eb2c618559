package transfer

import (
	"context"
	"database/sql"
	"fmt"

	"expenseflow/internal/store"
	"expenseflow/internal/store/find"
	"expenseflow/internal/store/schema"
	"expenseflow/internal/store/sqlitefile"
	"expenseflow/models"

	"gorm.io/gorm"
)

// A FileSize is how large a SQLite file is.
type FileSize struct {
	Pages    int64 `json:"pages"`
	PageSize int64 `json:"pageSize"` // bytes
}

// Bytes is the size in bytes.
func (f FileSize) Bytes() int64 { return f.Pages * f.PageSize }

// CopyFile reads the SQLite file as it is at one moment, while writers go on. It calls begin
// with what the database holds then, and page with each page of the file in order; the bytes
// are valid until page returns. The pages make a whole file without a WAL. An error of begin
// or page ends it.
//
// Until it returns, the WAL keeps what is committed meanwhile, so a caller must not take for ever.
func CopyFile(ctx context.Context, s *store.Store, begin func(Summary, FileSize) error, page func([]byte) error) error {
	if !s.Database().OnSQLite() {
		return models.E(models.Invalid, "Only a SQLite file can be copied by its pages")
	}
	return s.Database().SnapshotOn(ctx, s.Database().Long, func(db *gorm.DB) error {
		v := &snapshot{s, db}
		held, err := v.summary()
		if err != nil {
			return err
		}
		var size FileSize
		if size.Pages, err = find.One[int64](v.db.Raw("PRAGMA page_count")); err != nil {
			return err
		}
		if size.PageSize, err = find.One[int64](v.db.Raw("PRAGMA page_size")); err != nil {
			return err
		}
		if err := begin(held, size); err != nil {
			return err
		}
		return v.pages(page)
	})
}

// pages calls fn with each page of the SQLite file.
func (v *snapshot) pages(fn func([]byte) error) error {
	found, err := v.db.Raw("SELECT data FROM sqlite_dbpage ORDER BY pgno").Rows()
	if err != nil {
		return find.Translated(v.db, err)
	}
	defer found.Close()
	for first := true; found.Next(); first = false {
		var data sql.RawBytes
		if err := found.Scan(&data); err != nil {
			return find.Translated(v.db, err)
		}
		if first {
			data = withoutWAL(data)
		}
		if err := fn(data); err != nil {
			return err
		}
	}
	return find.Translated(v.db, found.Err())
}

// withoutWAL returns the first page of a file with a rollback journal in place of a WAL
// (sqlite.org/fileformat2.html, bytes 18 and 19): whoever opens it read-only needs no file beside it.
func withoutWAL(page []byte) []byte {
	fresh := append([]byte(nil), page...)
	if len(fresh) > 19 {
		fresh[18], fresh[19] = 1, 1
	}
	return fresh
}

// InspectFile checks that a SQLite file that nobody has open is a whole database of this
// program, from its first page to its last, and returns what it holds. It changes nothing and
// leaves no file beside it. The error is one sentence.
func InspectFile(ctx context.Context, path string) (m Summary, err error) {
	s, err := store.OpenUnchanging(path)
	if err != nil {
		return m, unusable(path, err)
	}
	defer s.Close()
	found, err := find.One[string](s.Database().Read(ctx).Raw("PRAGMA integrity_check(1)"))
	if err == nil && found != "ok" {
		err = fmt.Errorf("%w: %s", sqlitefile.ErrDamaged, found)
	}
	if err != nil {
		return m, unusable(path, err)
	}
	columns, err := schema.Describe(s.Database().Read(ctx), s.Database(), store.VersionTable)
	if err == nil && len(columns) == 0 {
		return m, models.E(models.Invalid, fmt.Sprintf("The file %s is no database of this program", path))
	}
	if err != nil {
		return m, unusable(path, err)
	}
	err = inSnapshot(ctx, s, func(v *snapshot) (err error) {
		m, err = v.summary()
		return err
	})
	return m, err
}

// unusable is the error for a file that is no whole database.
func unusable(path string, err error) error {
	msg := fmt.Sprintf("The file %s is damaged: take another backup", path)
	switch {
	case sqlitefile.Code(err) == sqlitefile.NotADatabase:
		msg = fmt.Sprintf("The file %s is not a SQLite database", path)
	case sqlitefile.Code(err) != 0 && sqlitefile.Code(err) != sqlitefile.Corrupt:
		msg = fmt.Sprintf("The file %s cannot be read", path)
	}
	return &models.Error{Kind: models.Invalid, Msg: msg, Err: err}
}
