package app

import (
	"cmp"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"expenseflow/internal/config"
	"expenseflow/internal/operator"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

const importFileHelp = `
expenseflow import file makes entries of the rows of a file: a table (CSV) or OFX of a bank, or
an export of Firefly III, Actual, YNAB, Mint or ezBookkeeping. It does what the page's Import
does, and a server that runs shows each entry as it comes.

  expenseflow import file PATH --user EMAIL    - for standard input
  --dry-run          change nothing, and say how it is read and what would become of each row
  --json             print what POST /api/import answers
  --include LINES    import these duplicates too: 3,17 or all
  --delimiter , ; | or tab         --encoding windows-1252       --currency EUR
  --decimal , or .                 --dates dmy, mdy or ymd       --header LINE or none
  --sign plus or minus             --columns date:1,amount:3     --name NAME

What is not said is guessed, and asked where the file leaves it open (docs/moving.md). Rows that
a rule refuses wait for the user's decision. The same file again changes nothing; one that was
interrupted is finished. The exit code is 1 if rows were refused or wait.

  expenseflow import file january.csv --user alice@example.org --dry-run
`

// fileParameters are the flags that are parameters of POST /api/import.
var fileParameters = []string{
	"user", "name", "include", "delimiter", "encoding", "decimal", "dates", "sign", "header", "currency", "columns",
}

// A fileCall is one call of import file.
type fileCall struct {
	Command
	path   string
	query  url.Values
	dryRun bool
	json   bool
}

// importFile imports a file of a bank or of another program.
func (c Command) importFile(ctx context.Context) int {
	call, flags := fileCall{Command: c, query: url.Values{}}, newFlags()
	flags.BoolVar(&call.dryRun, "dry-run", false, "")
	flags.BoolVar(&call.json, "json", false, "")
	for _, name := range fileParameters {
		flags.String(name, "", "")
	}
	args, err := parseFlags(flags, c.Args[2:])
	switch {
	case err != nil:
		return c.misused(err.Error() + ".")
	case len(args) != 1 || args[0] == "":
		return c.misused("import file needs one file, or - for standard input.")
	case flags.Lookup("user").Value.String() == "":
		return c.misused("import file needs --user, the e-mail address of the account.")
	}
	call.take(args[0], flags)
	return call.run(ctx)
}

// take keeps what the arguments say.
func (f *fileCall) take(path string, flags *flag.FlagSet) {
	f.path = path
	if path != "-" {
		f.query.Set("name", lastRunes(filepath.Base(path), models.MaxImportName/2))
	}
	flags.Visit(func(given *flag.Flag) {
		if slices.Contains(fileParameters, given.Name) {
			f.query.Set(given.Name, given.Value.String())
		}
	})
	if f.dryRun {
		f.query.Set("dryRun", "1")
	}
}

// lastRunes returns the end of a text.
func lastRunes(s string, most int) string {
	runes := []rune(strings.ToValidUTF8(s, "?"))
	return string(runes[max(0, len(runes)-most):])
}

func (f *fileCall) run(ctx context.Context) int {
	file := io.NopCloser(f.Stdin)
	if f.path != "-" {
		var err error
		if file, err = os.Open(f.path); err != nil {
			return f.failed(err)
		}
	}
	defer file.Close()
	var did fileReport
	code := f.operate(ctx, func(_ *config.Config, client *operator.Client) error {
		tell := newProgress(f.Stderr)
		answer, err := client.ImportFile(ctx, file, f.query, func(p wire.ImportProgress) {
			tell.tell("%d of %d rows", p.Rows, p.Total)
		})
		if err == nil {
			err = json.Unmarshal(answer, &did)
		}
		if err != nil {
			return asFlags(err)
		}
		return f.print(answer, &did)
	})
	if code == exitOK && did.Totals.Refused+did.Totals.Parked > 0 {
		return exitFailed
	}
	return code
}

// A questionError is an error in the words of flags.
type questionError struct {
	error
	text string
}

func (e questionError) Error() string { return e.text }
func (e questionError) Unwrap() error { return e.error }

// asFlags returns an error that names parameters of the API as flags.
func asFlags(err error) error { return questionError{err, flagText(sentence(err))} }

func flagText(s string) string {
	for _, name := range []string{"columns", "dates", "decimal", "sign"} {
		s = strings.ReplaceAll(s, name+"=", "--"+name+"=")
	}
	return s
}

// A fileReport is what an answer has for people.
type fileReport struct {
	Import    *struct{ ID string }  `json:"import"`  // nil if nothing was changed
	Source    string                `json:"source"`  // of a preview, as are
	Mapping   map[string]any        `json:"mapping"` // these
	Questions []wire.ImportQuestion `json:"questions"`
	Totals    wire.ImportTotals     `json:"totals"`
	Rows      []struct {
		Line                        int
		Status, Reason, Description string
	} `json:"rows"`
}

func (f *fileCall) print(answer json.RawMessage, did *fileReport) error {
	if f.json {
		return f.printJSON(answer)
	}
	verb := "imported into"
	if f.dryRun {
		verb = "nothing was changed; this would be imported into"
	}
	t := did.Totals
	fmt.Fprintf(f.Stdout, "%s %s: %d of %d rows; %d are here already, %d wait for a decision, %d are refused\n",
		verb, printable(f.query.Get("user")), t.New, t.Rows, t.Duplicates, t.Parked, t.Refused)
	if f.dryRun {
		f.printMapping(did)
	}
	listed := 0
	for _, r := range did.Rows {
		if r.Status == wire.RowNew {
			continue
		}
		listed++
		fmt.Fprintf(f.Stdout, "line %d, %s: %s\n", r.Line, r.Status, printable(cmp.Or(r.Reason, r.Description)))
	}
	if rest := t.Rows - t.New - int64(listed); rest > 0 {
		fmt.Fprintf(f.Stdout, "and %d more\n", rest)
	}
	if did.Import != nil {
		fmt.Fprintf(f.Stdout, "DELETE /api/import/%s undoes it\n", did.Import.ID)
	}
	return nil
}

// printMapping prints how a file is read.
func (f *fileCall) printMapping(did *fileReport) {
	how, _ := json.Marshal(did.Mapping) // it came as JSON
	fmt.Fprintf(f.Stdout, "read as %s: %s\n", printable(did.Source), printable(string(how)))
	for _, q := range did.Questions {
		fmt.Fprintln(f.Stdout, flagText(q.Question))
	}
}
