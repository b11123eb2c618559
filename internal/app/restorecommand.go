package app

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"strings"
	"time"

	"expenseflow/internal/backup"
	"expenseflow/internal/config"
	"expenseflow/internal/store/transfer"
	"expenseflow/models"
)

const restoreHelp = `expenseflow restore puts a backup in the place of the database, with the settings of the
server. Stop every server first: it refuses beside one.

  expenseflow restore FILE    restore a file that expenseflow backup made
  --replace                   also if there are accounts: the database of now is kept
                              aside, under a name that is printed
  --json                      print {"held", "epoch", "kept"}

The backup is read from its first byte to its last before anything is changed, and brought
to the schema of this version; one of a newer version is refused. A restore that fails or
is killed leaves the database of before.

A new epoch begins: every device loads its list again, and sends what it queued meanwhile.
What was stored after the backup is gone. Nobody has to sign in again if the secret that
signs tokens is the same (JWT_SECRET, or the file jwt_secret in DATA_DIR).

  expenseflow restore /backups/expenseflow-2026-11-30T164252Z.db
  docker compose stop app && docker compose --profile backup run --rm --no-deps backup \
    restore /backups/expenseflow-2026-11-30T164252Z.dump --replace
`

const moveHelp = `expenseflow move copies everything from the database of the settings into another one, which
must be empty: from SQLite to PostgreSQL, or back. Stop every server first: it refuses
beside one. The database of the settings stays as it is.

  expenseflow move --to postgres://user@host:5432/expenseflow
  expenseflow move --to data/expenseflow.db

Accounts, entries, change logs, epoch and positions are the same there, so devices go on
where they were, without loading anything again. Afterwards set DATABASE_URL to the other
database and start the servers with the same JWT_SECRET, or the same DATA_DIR.

The copy is read again and compared row by row. A move that fails or is killed leaves the
other database empty: repeat it. A password may be in PGPASSWORD or in ~/.pgpass instead
of the address.
`

// restore puts a backup in the place of the database.
func (c Command) restore(ctx context.Context) int {
	flags := newFlags()
	replace, asJSON := flags.Bool("replace", false, ""), flags.Bool("json", false, "")
	args, err := parseFlags(flags, c.Args[1:])
	if err != nil {
		return c.misused(err.Error() + ".")
	}
	if len(args) != 1 || args[0] == "" {
		return c.misused("it needs one file that expenseflow backup made.")
	}
	cfg, err := config.Load(c.Environ)
	if err != nil {
		return c.refuse(err)
	}
	done, err := c.restoreFrom(ctx, &cfg, args[0], *replace)
	if err != nil {
		return c.failed(err)
	}
	if *asJSON {
		_ = c.printJSON(done) // what cannot be written has nobody to tell
		return exitOK
	}
	if done.Kept != "" {
		fmt.Fprintf(c.Stdout, "the database of before is %s: delete it when you are content\n", done.Kept)
	}
	fmt.Fprintf(c.Stdout, "restored %s and %s: start the servers, every device begins anew (epoch %s)\n",
		models.Counted(done.Held.Users(), "account"), models.Counted(done.Held.Expenses(), "expense"), done.Epoch)
	return exitOK
}

func (c Command) restoreFrom(ctx context.Context, cfg *config.Config, file string, replace bool) (transfer.Restoration, error) {
	ofPostgres, err := backup.OfPostgres(file)
	if err != nil {
		return transfer.Restoration{}, fmt.Errorf("the backup cannot be read: %w", err)
	}
	o := storeOptions(*cfg, slog.New(slog.DiscardHandler))
	switch {
	case ofPostgres && !cfg.OnPostgres():
		return transfer.Restoration{}, models.E(models.Invalid, "The backup is of PostgreSQL, and the database of the settings is "+
			"SQLite: restore it with the DATABASE_URL of a PostgreSQL server, then run expenseflow move --to FILE")
	case !ofPostgres && cfg.OnPostgres():
		return transfer.Restoration{}, models.E(models.Invalid, "The backup is no dump of PostgreSQL, which DATABASE_URL is: "+
			"if it is of SQLite, restore it with DATABASE_URL=some.db, then run expenseflow move --to postgres://...")
	case ofPostgres:
		return backup.RestorePostgres(ctx, o, file, replace)
	}
	return transfer.RestoreFile(ctx, o, file, replace)
}

// move copies the database into another one.
func (c Command) move(ctx context.Context) int {
	flags := newFlags()
	to := flags.String("to", "", "")
	args, err := parseFlags(flags, c.Args[1:])
	switch {
	case err != nil:
		return c.misused(err.Error() + ".")
	case len(args) > 0:
		return c.misused(fmt.Sprintf("%q is one argument too many.", args[0]))
	case *to == "":
		return c.misused("it needs --to and the address of another database.")
	}
	cfg, err := config.Load(c.Environ)
	if err != nil {
		return c.refuse(err)
	}
	if err := c.moveTo(ctx, &cfg, *to); err != nil {
		return c.failed(err)
	}
	return exitOK
}

func (c Command) moveTo(ctx context.Context, cfg *config.Config, to string) error {
	from := storeOptions(*cfg, slog.New(slog.DiscardHandler))
	if _, err := os.Stat(from.URL); err != nil && !cfg.OnPostgres() {
		return fmt.Errorf("there is no database to move: %w", err)
	}
	other := from
	if other.URL = to; strings.TrimSpace(to) != to {
		return errors.New("the address after --to begins or ends with a space")
	}
	began, p := time.Now(), newProgress(c.Stderr)
	held, err := transfer.Move(ctx, from, other, func(table string, done, of int64) {
		p.tell("copied %d of %d rows (%s)", done, of, table)
	})
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(c.Stdout, "moved %s, %s and %s in %v, and compared them: set DATABASE_URL to the address after --to, "+
		"and start the servers\n", models.Counted(held.Users(), "account"), models.Counted(held.Expenses(), "expense"),
		models.Counted(held.Rows["changes"], "change"),
		time.Since(began).Round(time.Millisecond))
	return err
}
