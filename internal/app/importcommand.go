package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"time"

	"expenseflow/internal/config"
	"expenseflow/internal/control"
	"expenseflow/internal/mongodump"
	"expenseflow/internal/observe"
	"expenseflow/internal/operator"
	"expenseflow/internal/original"
	"expenseflow/internal/store"
)

const importHelp = `expenseflow import mongo brings in what an ExpenseFlow on Express and MongoDB has stored,
from a dump, into the database of the settings: accounts with their passwords, expenses,
budgets, goals, notifications and what waited in offline queues.

  expenseflow import mongo PATH...    PATH is a folder of mongodump, an archive of it
                                      (--archive, --gzip), files of mongoexport as JSON,
                                      each with the name of its collection (users.json,
                                      expenses.json), or - for an archive from standard
                                      input
  --dry-run       change nothing, and say what would be imported and what not
  --db NAME       the database, if the dump has several
  --json          print the report as one JSON document

Passwords stay as they are. Tokens of the old server stay valid if JWT_SECRET is the same.
Ids stay too, so pages that are open go on with what they have.

The dump is read whole first: if it is cut off, damaged or of something else, nothing is
changed. Run the command again with a newer dump as often as you like: what is here stays
once, what is new comes in, and what was changed here since stays as it is. The report says
what was not imported and why; the exit code is 1 if something was refused.

A server may run meanwhile: its pages see the entries arrive. With the embedded database it
does the work, so run the command as its user or as root. Without a server the command makes
the database if there is none.

  mongodump --uri="$MONGODB_URI" --archive --gzip > dump.gz
  expenseflow import mongo --dry-run dump.gz
  expenseflow import mongo dump.gz
  mongodump --uri="$MONGODB_URI" --archive | docker compose exec -T app /expenseflow import mongo -

expenseflow import json brings back what expenseflow export has written, or a user has
exported: into the account of the file, which is made if it is not here.

  expenseflow import json FILE        - for standard input
  --into EMAIL    import into this account instead
  --dry-run       change nothing, and say what would become of it
  --json          print the report as one JSON document

Ids, times and versions stay, so an export of the imported account is the same file again. Of
an export with --secrets the password stays too; else give it one: expenseflow users
reset-password. It can be repeated; what was changed here since is newer and stays.
`

// An importCall is one call of import.
type importCall struct {
	Command
	cfg  *config.Config
	log  *slog.Logger
	dump *mongodump.Dump

	opts   original.Options
	json   bool
	report *original.Report
}

// importFrom imports what another program has stored.
func (c Command) importFrom(ctx context.Context) int {
	switch {
	case len(c.Args) > 1 && c.Args[1] == "json":
		return c.importExport(ctx)
	case len(c.Args) > 1 && c.Args[1] == "file":
		return c.importFile(ctx)
	}
	call, flags := &importCall{Command: c}, newFlags()
	flags.BoolVar(&call.opts.DryRun, "dry-run", false, "")
	flags.StringVar(&call.opts.Database, "db", "", "")
	flags.BoolVar(&call.json, "json", false, "")
	args, err := parseFlags(flags, c.Args[1:])
	switch {
	case err != nil:
		return c.misused(err.Error() + ".")
	case len(args) == 0 || args[0] != "mongo":
		return c.misused("from where? It knows mongo, file and json.")
	case len(args) == 1:
		return c.misused("it needs a folder or a file of mongodump or mongoexport, or - for an archive from standard input.")
	}
	cfg, err := config.Load(c.Environ)
	if err != nil {
		return c.refuse(err)
	}
	call.cfg, call.log = &cfg, observe.NewLogger(c.Stderr, "warn", cfg.JSONLogs())
	if call.dump, err = mongodump.Open(args[1:], mongodump.Options{Stdin: c.Stdin}); err != nil {
		return c.importFailed(err)
	}
	err = errors.Join(call.run(ctx), call.dump.Close())
	if call.report != nil && len(call.report.Collections) > 0 {
		call.print()
	}
	switch {
	case err != nil:
		return c.importFailed(err)
	case call.report.Incomplete():
		return exitFailed
	}
	return exitOK
}

func (c Command) importFailed(err error) int {
	fmt.Fprintf(c.Stderr, "expenseflow import: %s\n", sentence(err))
	return exitFailed
}

// run imports the dump through whoever has the database open, or can open it.
func (i *importCall) run(ctx context.Context) error {
	i.opts.Progress = i.progress
	if !i.opts.DryRun {
		return i.withTarget(ctx, func(target *operator.Client) error { return i.into(ctx, target) })
	}
	return i.withScratch(ctx, func(scratch *operator.Client) error {
		i.opts.Scratch = scratch
		return i.withTarget(ctx, func(target *operator.Client) error { return i.into(ctx, target) })
	})
}

func (i *importCall) into(ctx context.Context, target *operator.Client) (err error) {
	i.report, err = original.Import(ctx, target, i.dump, i.opts)
	return err
}

// withTarget calls do with a client of the server that has the SQLite file, or else of this
// process, which makes the database if there is none, but not in a dry run: then it is nil.
func (i *importCall) withTarget(ctx context.Context, do func(*operator.Client) error) error {
	if i.cfg.OnPostgres() {
		return i.operateHere(ctx, do)
	}
	path := controlSocket(i.cfg)
	client, dialErr := control.Dial(ctx, path)
	switch {
	case dialErr == nil:
		return do(&operator.Client{HTTP: client})
	case errors.Is(dialErr, fs.ErrPermission):
		return fmt.Errorf("%s belongs to the user of the server: run the command as that user or as root", path)
	}
	if _, err := os.Stat(i.cfg.Database()); errors.Is(err, fs.ErrNotExist) && i.opts.DryRun {
		return do(nil)
	}
	return explainInUse(i.cfg, i.operateHere(ctx, do), dialErr)
}

// operateHere is operateHere, but makes and migrates a database that servers would.
func (i *importCall) operateHere(ctx context.Context, do func(*operator.Client) error) error {
	if i.opts.DryRun {
		return operateHere(ctx, i.cfg, i.log, do)
	}
	s, err := store.Open(ctx, storeOptions(*i.cfg, i.log))
	if err != nil {
		return err
	}
	return operateOn(s, i.cfg, i.log, do)
}

// withScratch calls do with a client of a new database that is thrown away.
func (i *importCall) withScratch(ctx context.Context, do func(*operator.Client) error) (err error) {
	dir, err := os.MkdirTemp("", "expenseflow-dry-run-")
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	o := storeOptions(*i.cfg, i.log)
	o.URL, o.SQLiteSync = filepath.Join(dir, "expenseflow.db"), "NORMAL"
	s, err := store.Open(ctx, o)
	if err != nil {
		return err
	}
	return operateOn(s, i.cfg, i.log, do)
}

// progress tells how far the import is, once it has taken a while.
func (i *importCall) progress(done, total int64) {
	if total == 0 {
		fmt.Fprintf(i.Stderr, "%s  checking the dump: %d documents\n", time.Now().Format(time.TimeOnly), done)
		return
	}
	fmt.Fprintf(i.Stderr, "%s  %d of %d documents (%d %%)\n", time.Now().Format(time.TimeOnly), done, total, done*100/total)
}
