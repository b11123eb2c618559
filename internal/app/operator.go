package app

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"net/http"
	"os"
	"path/filepath"
	"time"

	"expenseflow/internal/auth"
	"expenseflow/internal/config"
	"expenseflow/internal/control"
	"expenseflow/internal/importer"
	"expenseflow/internal/keyring"
	"expenseflow/internal/ledger"
	"expenseflow/internal/operator"
	"expenseflow/internal/store"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// controlSocket returns the path of the socket on which the server that has the SQLite file
// listens for commands. It is beside that file, in DATA_DIR unless DATABASE_URL names a file
// elsewhere, so it belongs to whoever has locked the file.
func controlSocket(cfg *config.Config) string {
	path := cfg.Database()
	if name, err := filepath.EvalSymlinks(path); err == nil {
		path = name
	}
	return path + ".sock"
}

// listenForCommands listens for commands on this machine, which cannot open the SQLite file
// beside this process. PostgreSQL they open by themselves. A server without the socket serves
// as well, so that it cannot be made is no reason to end.
func (a *App) listenForCommands(ctx context.Context) {
	if a.cfg.OnPostgres() {
		return
	}
	ln, err := control.Listen(controlSocket(&a.cfg))
	if err != nil {
		a.log.WarnContext(ctx, "commands such as expenseflow users need this server stopped", slog.Any("error", err))
		return
	}
	a.controlLn = ln
}

// operatorHandler does in this process what commands ask for.
func (a *App) operatorHandler(ring keyring.Ring, c components) http.Handler {
	o := operatorOptions(&a.cfg, a.store, a.log, func() (keyring.Ring, error) { return ring, nil })
	o.Accounts, o.Ledger, o.Importer = c.accounts, c.ledger, c.importer
	o.Overview = (&overviewer{a, c.io}).overview
	o.ImportProgress = a.tellImport
	o.SignedOut = func(userID string) { signOuts{a.hub, a.wake}.SignOut(userID, "") }
	return operator.Handler(o)
}

// tellImport tells a user's devices how far an import is. There is a hub whenever requests are served.
func (a *App) tellImport(userID string, p wire.ImportProgress) { a.hub.SendImportProgress(userID, p) }

// operatorOptions are those of a process without sockets.
func operatorOptions(cfg *config.Config, s *store.Store, log *slog.Logger, ring func() (keyring.Ring, error)) operator.Options {
	o := operator.Options{
		Store: s, Logger: log,
		Accounts: ledger.NewAccounts(s, auth.NewHasher(processors()), passwordRules(cfg)),
		Ledger:   ledger.New(s, nil, ledger.Options{MaxExpenses: int64(cfg.MaxExpenses)}),
	}
	o.Importer = importer.New(importer.Options{Ledger: o.Ledger, Store: s})
	if cfg.Production() {
		o.NoTokens = "NODE_ENV is production, where nobody gets a token for somebody else's account: " +
			"expenseflow users reset-password gives its user another password"
		return o
	}
	o.Issue = func(u models.User, age time.Duration) (string, time.Time, error) {
		keys, err := ring()
		if err != nil {
			return "", time.Time{}, err
		}
		if age == 0 {
			age = cfg.JWTExpire
		}
		now := time.Now()
		token, err := auth.NewTokens(keys, age).Issue(u, now)
		return token, now.Add(age).Truncate(time.Second).UTC(), err
	}
	return o
}

// askOperator calls do with a client of whoever has the database open: the server that has
// the SQLite file, or else this process, which then opens the database as it is.
func askOperator(ctx context.Context, cfg *config.Config, log *slog.Logger, do func(*operator.Client) error) error {
	if cfg.OnPostgres() {
		return operateHere(ctx, cfg, log, do)
	}
	path := controlSocket(cfg)
	client, dialErr := control.Dial(ctx, path)
	switch {
	case dialErr == nil:
		return do(&operator.Client{HTTP: client})
	case errors.Is(dialErr, fs.ErrPermission):
		return fmt.Errorf("%s belongs to the user of the server: run the command as that user or as root", path)
	}
	if _, err := os.Stat(cfg.Database()); err != nil {
		return fmt.Errorf("there is no database yet, start the server once: %w", err)
	}
	return explainInUse(cfg, operateHere(ctx, cfg, log, do), dialErr)
}

// explainInUse says what a process is that has the database file and does not answer, with the
// error of asking it.
func explainInUse(cfg *config.Config, err, dialErr error) error {
	if !errors.Is(err, store.ErrInUse) {
		return err
	}
	return fmt.Errorf("a process has the database file %s and does not answer commands: if it is a server that has just "+
		"started, try again; its log says if it cannot listen; else stop it first (%w)", cfg.Database(), dialErr)
}

// operateHere calls do with a client of this process, which opens the database as it is.
func operateHere(ctx context.Context, cfg *config.Config, log *slog.Logger, do func(*operator.Client) error) error {
	s, err := store.Attach(ctx, storeOptions(*cfg, log))
	if err != nil {
		return err
	}
	return operateOn(s, cfg, log, do)
}

// operateOn calls do with a client of this process, and closes the database.
func operateOn(s *store.Store, cfg *config.Config, log *slog.Logger, do func(*operator.Client) error) (err error) {
	defer func() { err = errors.Join(err, s.Close()) }()
	ring := func() (keyring.Ring, error) { return storedSecrets(cfg) }
	o := operatorOptions(cfg, s, log, ring)
	if cfg.OnPostgres() {
		o.SignedOut = func(userID string) {
			if err := tellServers(cfg, s, ring, userID); err != nil {
				log.Debug("servers find what was done by themselves, within about a second", slog.Any("error", err))
			}
		}
	}
	client, stop := control.Local(operator.Handler(o))
	defer stop()
	return do(&operator.Client{HTTP: client})
}

// storedSecrets returns the secrets that the servers of these settings have. It makes none.
func storedSecrets(cfg *config.Config) (keyring.Ring, error) {
	current := []byte(cfg.JWTSecret.Reveal())
	if len(current) == 0 {
		stored, err := readSecret(cfg.SecretFile())
		if err == nil && stored == nil {
			err = models.E(models.Unavailable, "No secret signs tokens yet: start the server once, or set JWT_SECRET as it has it")
		}
		if err != nil {
			return keyring.Ring{}, err
		}
		current = stored
	}
	return keyring.New(current, []byte(cfg.JWTSecretPrevious.Reveal())), nil
}
