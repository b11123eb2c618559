package app

import (
	"context"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"text/tabwriter"

	"expenseflow/internal/config"
	"expenseflow/internal/operator"
	"expenseflow/internal/portable"
	"expenseflow/models"
)

// importExport imports a file that expenseflow export has written.
func (c Command) importExport(ctx context.Context) int {
	flags := newFlags()
	into, dryRun, asJSON := flags.String("into", "", ""), flags.Bool("dry-run", false, ""), flags.Bool("json", false, "")
	args, err := parseFlags(flags, c.Args[2:])
	switch {
	case err != nil:
		return c.misused(err.Error() + ".")
	case len(args) != 1 || args[0] == "":
		return c.misused("import json needs one file, or - for standard input.")
	}
	file := io.NopCloser(c.Stdin)
	if args[0] != "-" {
		if file, err = os.Open(args[0]); err != nil {
			return c.failed(err)
		}
	}
	defer file.Close()
	var did portable.Summary
	code := c.operate(ctx, func(_ *config.Config, client *operator.Client) (err error) {
		if did, err = client.ImportExport(ctx, file, importName(args[0]), *into, *dryRun); err != nil {
			return err
		}
		if *asJSON {
			return c.printJSON(did)
		}
		return c.printImported(&did)
	})
	if code == exitOK && len(did.Refusals) > 0 {
		return exitFailed
	}
	return code
}

// importName is what the user's list of imports calls a file.
func importName(file string) string {
	name := filepath.Base(file)
	if file == "-" || models.UTF16Len(name) > models.MaxImportName {
		return ""
	}
	return name
}

func (c Command) printImported(did *portable.Summary) error {
	verb := "imported into"
	if did.DryRun {
		verb = "nothing was changed; this would be imported into"
	}
	fmt.Fprintf(c.Stdout, "%s %s\n", verb, printable(did.Email))
	w := tabwriter.NewWriter(c.Stdout, 0, 8, 2, ' ', tabwriter.AlignRight)
	fmt.Fprintln(w, "\tread\tnew\tsame\tchanged\tnewer here\trefused\tnot imported\t")
	for _, name := range slices.Sorted(maps.Keys(did.Counts)) {
		n := did.Counts[name]
		fmt.Fprintf(w, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\t\n", name, n.Read, n.New, n.Same, n.Changed, n.Kept, n.Refused, n.Skipped)
	}
	err := w.Flush()
	for _, r := range did.Refusals {
		fmt.Fprintf(c.Stdout, "%s %d: %s\n", r.Section, r.Number, printable(r.Reason))
	}
	if did.NoPassword {
		fmt.Fprintf(c.Stdout, "the account has no password yet: expenseflow users reset-password %s\n", printable(did.Email))
	}
	return err
}
