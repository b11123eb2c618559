package app

import (
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
	"text/tabwriter"

	"expenseflow/internal/original"
	"expenseflow/models"
)

// print prints the report.
func (i *importCall) print() {
	if i.json {
		_ = i.printJSON(i.report) // what cannot be written has nobody to tell
		return
	}
	printReport(i.Stdout, i.report)
	if i.cfg.JWTSecret.Reveal() == "" {
		fmt.Fprintln(i.Stdout, "\nTokens of the old server: set JWT_SECRET as it had it, and they stay valid. "+
			"Else everybody signs in once.")
	}
}

func printReport(w io.Writer, r *original.Report) {
	if r.DryRun {
		fmt.Fprintln(w, "A dry run: nothing was changed.")
	}
	table := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	fmt.Fprintln(table, "COLLECTION\tREAD\tNEW\tSAME\tCHANGED\tNEWER HERE\tLEFT OUT\tREFUSED")
	for _, c := range r.Collections {
		fmt.Fprintf(table, "%s\t%d\t%d\t%d\t%d\t%d\t%d\t%d\n", c.Name, c.Read, c.New, c.Same, c.Changed, c.Kept, c.Skipped, c.Refused)
	}
	_ = table.Flush() // what cannot be written has nobody to tell
	for _, c := range r.Collections {
		printGroups(w, c.Name+", not imported:", c.Reasons)
		printGroups(w, c.Name+", to know:", c.Notes)
		printGroups(w, c.Name+", fields without a place here:", c.UnknownFields)
	}
	printNotImported(w, r.NotImported)
	printSums(w, r)
}

func printGroups(w io.Writer, title string, groups []*original.Group) {
	if len(groups) == 0 {
		return
	}
	fmt.Fprintln(w, "\n"+printable(title))
	for _, g := range groups {
		ids := ""
		if len(g.IDs) > 0 {
			ids = " (" + strings.Join(g.IDs, ", ")
			if g.Count > int64(len(g.IDs)) {
				ids += " ..."
			}
			ids += ")"
		}
		fmt.Fprintf(w, "%8d  %s%s\n", g.Count, printable(g.Text), printable(ids))
	}
}

// printNotImported lists the collections that have no place here.
func printNotImported(w io.Writer, counts map[string]int64) {
	if len(counts) == 0 {
		return
	}
	fmt.Fprintln(w, "\nnot imported, for there is nothing of the kind here:")
	for _, name := range slices.Sorted(maps.Keys(counts)) {
		fmt.Fprintf(w, "%8d  %s\n", counts[name], printable(name))
	}
}

// printSums says whether the amounts in the database are those of the dump.
func printSums(w io.Writer, r *original.Report) {
	s := r.Sums
	switch {
	case s.Expenses == 0:
		return
	case s.Wrong == 0:
		fmt.Fprintf(w, "\nThe amounts of %s, in %s by user and category, are the same in the dump and here.\n",
			models.Counted(s.Expenses, "expense"), models.Counted(s.Categories, "sum"))
		return
	}
	fmt.Fprintf(w, "\n%d of %d sums DIFFER between the dump and here. Please report it. The first:\n", s.Wrong, s.Categories)
	for _, m := range s.Mismatches {
		fmt.Fprintf(w, "  user %s, %s %s %s: %s (%d) in the dump, %s (%d) here\n",
			m.Account, printable(m.Type), printable(m.Category), printable(m.Currency), m.InDump, m.CountInDump, m.Stored, m.CountStored)
	}
}
