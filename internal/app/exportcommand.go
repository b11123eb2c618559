package app

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"expenseflow/internal/config"
	"expenseflow/internal/operator"
)

const exportHelp = `expenseflow export writes everything that an account has, with the settings of the server,
which may run.

  expenseflow export EMAIL        print it as JSON, which can be imported again into an
                                  equal account (expenseflow import json)
  --format csv                    the expenses alone, for a spreadsheet
  --to FILE                       write it to a file that is not there yet, of which only
                                  its owner can read; it gets its name when it is whole
  --secrets                       with the hash of the password and the secret of the
                                  webhook, for moving the account: whoever has the file
                                  can try passwords on it

EMAIL may be the id of the account. The export is of one moment. Users get the same, without
secrets, by GET /api/export and in the page.

  expenseflow export alice@example.org --to alice.json
  expenseflow export alice@example.org --format csv > alice.csv
`

// An exportCall is one call of export.
type exportCall struct {
	Command
	user, format, to string
	secrets          bool
}

// export writes an account to a file or to standard output.
func (c Command) export(ctx context.Context) int {
	call, flags := &exportCall{Command: c}, newFlags()
	flags.StringVar(&call.format, "format", "json", "")
	flags.StringVar(&call.to, "to", "", "")
	flags.BoolVar(&call.secrets, "secrets", false, "")
	args, err := parseFlags(flags, c.Args[1:])
	switch {
	case err != nil:
		return c.misused(err.Error() + ".")
	case len(args) != 1 || args[0] == "":
		return c.misused("it needs one account: its e-mail address or its id.")
	case call.format != "json" && call.format != "csv":
		return c.misused(fmt.Sprintf("--format %s is neither json nor csv.", call.format))
	case call.format == "csv" && call.secrets:
		return c.misused("CSV has no secrets: --secrets goes with JSON.")
	}
	call.user = args[0]
	return c.operate(ctx, func(_ *config.Config, client *operator.Client) error { return call.write(ctx, client) })
}

func (e *exportCall) write(ctx context.Context, client *operator.Client) (err error) {
	body, err := client.Export(ctx, e.user, e.format, e.secrets)
	if err != nil {
		return err
	}
	defer body.Close()
	if e.to == "" {
		return copyWhole(e.Stdout, body)
	}
	return writeWhole(e.to, func(w io.Writer) error { return copyWhole(w, body) })
}

func copyWhole(to io.Writer, from io.Reader) error {
	if _, err := io.Copy(to, from); err != nil {
		return fmt.Errorf("the export is not whole, try again: %w", err)
	}
	return nil
}

// writeWhole writes a file that is not there yet. It gets its name when it is on disk.
func writeWhole(path string, write func(io.Writer) error) (err error) {
	if _, err := os.Lstat(path); err == nil {
		return fmt.Errorf("%s is there already: choose another name, or remove it", path)
	}
	part, err := os.CreateTemp(filepath.Dir(path), filepath.Base(path)+".part-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(part.Name()))
		}
	}()
	if err := errors.Join(write(part), part.Sync(), part.Close()); err != nil {
		return err
	}
	return os.Rename(part.Name(), path)
}
