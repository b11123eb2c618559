package store

import (
	"context"
	"errors"
	"fmt"

	"expenseflow/models"
)

// Attach opens a database as a server left it, or uses it now: it creates no file and no
// schema, migrates nothing and begins no epoch. On SQLite the file must exist. The error is
// one sentence that says what to do: a *SchemaError if the schema is not the one of this
// program, and one that is ErrInUse if another process has the SQLite file.
func Attach(ctx context.Context, o Options) (*Store, error) {
	s, err := connect(ctx, o)
	if err != nil {
		return nil, err
	}
	if err := s.requireSchema(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	if err := s.ReadEpoch(ctx); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	return s, nil
}

// A SchemaError says that the database's schema is not the one of this program. It is
// models.Unavailable.
type SchemaError struct {
	Found, Own int64 // the versions; Found is 0 without a schema
}

// Error returns the message.
func (e *SchemaError) Error() string { return e.Unwrap().Error() }

// Unwrap returns the error with the message for users.
func (e *SchemaError) Unwrap() error {
	msg := fmt.Sprintf("The database's schema is of version %d, and this program needs %d: start the server of this version "+
		"once, which brings it up to date", e.Found, e.Own)
	switch {
	case e.Found == 0:
		msg = "The database is empty: start the server once, which makes its schema"
	case e.Found > e.Own:
		msg = newerSchema(e.Found, e.Own)
	}
	return models.E(models.Unavailable, msg)
}

func newerSchema(found, own int64) string {
	return fmt.Sprintf("The database was made by a newer version of this program (schema %d, this program knows up to %d): "+
		"start that version", found, own)
}

func (s *Store) requireSchema(ctx context.Context) error {
	columns, err := s.describe(ctx, VersionTable)
	if err != nil {
		return err
	}
	p, err := s.migrations()
	if err != nil {
		return fmt.Errorf("read migrations: %w", err)
	}
	v := SchemaError{Own: newestMigration(p)}
	if len(columns) > 0 {
		v.Found, err = s.appliedMigration(ctx)
	}
	if err == nil && v.Found != v.Own {
		err = &v
	}
	return err
}
