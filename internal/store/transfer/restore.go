package transfer

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"

	"expenseflow/internal/store"
	"expenseflow/internal/store/sqlitefile"
	"expenseflow/models"
)

// A Restoration is what a restore did.
type Restoration struct {
	Held  Summary `json:"held"`           // what the backup has
	Epoch string  `json:"epoch"`          // the new one
	Kept  string  `json:"kept,omitempty"` // where the database of before is; "" if it had no account
}

// RestoreFile puts a copy of a SQLite file (CopyFile) in the place of the file of o, in the schema
// of this program and in a new epoch. With replace a database that has accounts is kept beside
// it, without it is refused. No process may have the file of o open.
//
// A restore that fails or is killed leaves the database of before. The error is one sentence.
func RestoreFile(ctx context.Context, o store.Options, from string, replace bool) (r Restoration, err error) {
	path, release, err := sqlitefile.Locked(o.URL)
	if err != nil {
		return r, err
	}
	defer func() { err = errors.Join(err, release()) }()
	if r.Held, err = InspectFile(ctx, from); err != nil {
		return r, err
	}
	occupied, err := refuseOccupied(ctx, path, replace)
	if err != nil {
		return r, err
	}
	fresh := path + ".restoring"
	if err = sqlitefile.Remove(fresh); err == nil {
		err = sqlitefile.Copy(from, fresh)
	}
	if err != nil {
		return r, sqlitefile.Problem(path, err)
	}
	if r.Epoch, err = renew(ctx, o, fresh, r.Held); err != nil {
		return r, errors.Join(err, sqlitefile.Remove(fresh))
	}
	if r.Kept, err = sqlitefile.Replace(fresh, path, occupied); err != nil {
		return r, sqlitefile.Problem(path, err)
	}
	return r, nil
}

// refuseOccupied reports whether the file has something to keep: accounts, or what cannot be read.
func refuseOccupied(ctx context.Context, path string, replace bool) (occupied bool, err error) {
	n, err := usersIn(ctx, path)
	switch {
	case replace:
		return n > 0 || err != nil, nil
	case err != nil:
		msg := fmt.Sprintf("The database file %s is there and cannot be read: add --replace to put the backup in its place; "+
			"the file is kept beside it", path)
		return true, &models.Error{Kind: models.Conflict, Msg: msg, Err: err}
	case n > 0:
		return true, models.E(models.Conflict, fmt.Sprintf("The database file %s %s: add --replace to put the backup in its place; "+
			"the database of now is kept beside it", path, inUseFor(n)))
	}
	return false, nil
}

// renew brings a copy of a backup to the schema of this program and begins an epoch in it.
func renew(ctx context.Context, o store.Options, path string, held Summary) (epoch string, err error) {
	s, err := store.OpenFile(ctx, o, path)
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	if err := s.Prepare(ctx); err != nil {
		return "", ofBackup(err)
	}
	if epoch, err = s.NewEpoch(ctx); err != nil {
		return "", err
	}
	return epoch, inSnapshot(ctx, s, func(v *snapshot) error { return v.checkRestored(held) })
}

// ofBackup explains an error of a schema that is newer than the program.
func ofBackup(err error) error {
	var schema *store.SchemaError
	if !errors.As(err, &schema) {
		return err
	}
	return models.E(models.Invalid, fmt.Sprintf("The backup was made by a newer version of this program (schema %d, this program "+
		"knows up to %d): restore it with that version", schema.Found, schema.Own))
}

// checkRestored compares what migrations leave as it is.
func (v *snapshot) checkRestored(held Summary) error {
	now, err := v.summary()
	if err == nil && (now.Users() != held.Users() || now.Expenses() != held.Expenses() || now.Heads != held.Heads) {
		err = models.E(models.Unavailable, "What was restored is not what the backup has: nothing was changed, try again")
	}
	return err
}

// usersIn counts the accounts of the file at path, and moves what is in its WAL into it. 0 of a file
// that is not there; an error for one that cannot be read. The caller must hold the lock.
func usersIn(ctx context.Context, path string) (n int64, err error) {
	if _, err := os.Stat(path); errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	pool := sqlitefile.Pool(sqlitefile.DSN(path, "FULL", "query_only(0)"), 1)
	defer func() { err = errors.Join(err, pool.Close()) }()
	if err := pool.QueryRowContext(ctx, "SELECT COUNT(*) FROM sqlite_schema WHERE name = 'users'").Scan(&n); err != nil || n == 0 {
		return n, err
	}
	if err := pool.QueryRowContext(ctx, "SELECT COUNT(*) FROM users").Scan(&n); err != nil {
		return 0, err
	}
	_, err = pool.ExecContext(ctx, "PRAGMA wal_checkpoint(TRUNCATE)")
	return n, err
}

// inUseFor says that a database holds accounts already.
func inUseFor(n int64) string { return "holds " + models.Counted(n, "account") }
