package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"expenseflow/internal/backup"
	"expenseflow/internal/config"
	"expenseflow/internal/observe"
	"expenseflow/internal/operator"
	"expenseflow/internal/store"
	"expenseflow/internal/store/transfer"
	"expenseflow/models"
)

const backupHelp = `expenseflow backup writes a backup of the database into a folder, with the settings of the
server. The server may run, and goes on storing changes.

  expenseflow backup --to DIR     write one, and print its name
  --every 24h                     stay, and write one whenever the newest in DIR is as
                                  old as that (m, h, d, w); Ctrl-C or SIGTERM ends it
  --keep 7                        then remove the oldest backups in DIR but for 7
  --json                          print {"path", "bytes", "of", "held"} for each

A backup is of one moment. It is read again and compared with the database before it gets
its name, which sorts by time: expenseflow-2026-11-30T164252Z.db, or .dump of PostgreSQL.
What a full disk or a killed command leaves never has such a name. --keep removes only
files of such names.

With the embedded database the command asks the running server, through the socket
expenseflow.db.sock beside the file: run it as the server's user or as root. Without a
server it opens the file itself. With PostgreSQL it runs pg_dump, which has to be in PATH
and of the server's version or newer.

Not in it: the secret that signs tokens (JWT_SECRET, or the file jwt_secret in DATA_DIR).
Whoever restores without it loses nothing, but everybody signs in again.

  expenseflow backup --every 24h --keep 7 --to /backups
  expenseflow restore /backups/expenseflow-2026-11-30T164252Z.db
`

// A backupCall is one call of backup.
type backupCall struct {
	Command
	cfg   config.Config
	to    string
	every time.Duration // 0 for one backup
	keep  int           // 0 for all
	json  bool
}

// backup writes backups.
func (c Command) backup(ctx context.Context) int {
	call, flags, every := &backupCall{Command: c}, newFlags(), ""
	flags.StringVar(&call.to, "to", "", "")
	flags.StringVar(&every, "every", "", "")
	flags.IntVar(&call.keep, "keep", 0, "")
	flags.BoolVar(&call.json, "json", false, "")
	args, err := parseFlags(flags, c.Args[1:])
	if err != nil {
		return c.misused(err.Error() + ".")
	}
	if every != "" {
		if call.every, err = config.ParseDuration(every); err != nil || call.every < time.Minute {
			return c.misused(fmt.Sprintf("--every %s is no time of a minute or more such as 24h or 7d.", every))
		}
	}
	switch {
	case len(args) > 0:
		return c.misused(fmt.Sprintf("%q is one argument too many.", args[0]))
	case call.to == "":
		return c.misused("it needs --to and a folder.")
	case call.keep < 0:
		return c.misused(fmt.Sprintf("--keep %d is no number of backups to keep.", call.keep))
	}
	if call.cfg, err = config.Load(c.Environ); err != nil {
		return c.refuse(err)
	}
	if call.every > 0 {
		return call.repeat(ctx)
	}
	if err := call.once(ctx); err != nil {
		return c.failed(err)
	}
	return exitOK
}

// failed prints why a command failed.
func (c Command) failed(err error) int {
	fmt.Fprintf(c.Stderr, "expenseflow %s: %s\n", c.Args[0], sentence(err))
	return exitFailed
}

// retryAfter is how long after a backup that failed another one is tried.
const retryAfter = 5 * time.Minute

// repeat writes a backup whenever one is due, until ctx ends. One that fails is no reason to
// end: the server may be away for a while.
func (b *backupCall) repeat(ctx context.Context) int {
	source := b.source(nil)
	for {
		pause := min(b.every, time.Until(backup.Newest(b.to, source).Add(b.every))) // a clock may have gone back
		if pause <= 0 {
			if err := b.once(ctx); err != nil && ctx.Err() == nil {
				b.failed(err)
				pause = min(retryAfter, b.every)
			}
		}
		sleep(ctx, pause)
		if ctx.Err() != nil {
			return exitOK
		}
	}
}

// once writes a backup, and removes those that are too many.
func (b *backupCall) once(ctx context.Context) error {
	return b.asking(ctx, func(source backup.Source, report func(context.Context, time.Time) error) error {
		began := time.Now()
		made, err := backup.Take(ctx, b.to, source)
		if err != nil {
			return err
		}
		if err := b.show(made, time.Since(began)); err != nil {
			return err
		}
		if err := report(ctx, made.Of); err != nil {
			return fmt.Errorf("the backup is good, but its age cannot be recorded: %s", sentence(err))
		}
		if b.keep == 0 {
			return nil
		}
		removed, err := backup.Prune(b.to, source, b.keep)
		for _, name := range removed {
			fmt.Fprintf(b.Stderr, "removed %s\n", name)
		}
		return err
	})
}

// asking calls do with the source of backups, and with what records that one was verified.
func (b *backupCall) asking(ctx context.Context, do func(backup.Source, func(context.Context, time.Time) error) error) error {
	log := observe.NewLogger(b.Stderr, "warn", b.cfg.JSONLogs())
	if b.cfg.OnPostgres() {
		return b.withServer(ctx, log, do)
	}
	return askOperator(ctx, &b.cfg, log, func(client *operator.Client) error {
		return do(b.source(client), client.BackedUp)
	})
}

// withServer is asking of PostgreSQL.
func (b *backupCall) withServer(ctx context.Context, log *slog.Logger,
	do func(backup.Source, func(context.Context, time.Time) error) error,
) (err error) {
	s, err := store.Attach(ctx, storeOptions(b.cfg, log))
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.Close()) }()
	return do(backup.Postgres{Store: s}, s.RecordBackup)
}

// source is the one of the database of the settings; without a client it only knows names.
func (b *backupCall) source(client *operator.Client) backup.Source {
	if b.cfg.OnPostgres() {
		return backup.Postgres{}
	}
	return backup.SQLite{Copy: func(ctx context.Context, w io.Writer) (time.Time, transfer.Summary, error) {
		p := newProgress(b.Stderr)
		copied, err := client.Backup(ctx, w, func(done, of int64) {
			p.tell("copied %s of %s", bytesText(done), bytesText(of))
		})
		return copied.Of, copied.Held, err
	}}
}

// show prints what was written.
func (b *backupCall) show(made backup.Backup, took time.Duration) error {
	if b.json {
		return b.printJSON(made)
	}
	_, err := fmt.Fprintf(b.Stdout, "%s: %s, verified: %s, %s (%v)\n", made.Path, bytesText(made.Bytes),
		models.Counted(made.Held.Users(), "account"), models.Counted(made.Held.Expenses(), "expense"), took.Round(time.Millisecond))
	return err
}
