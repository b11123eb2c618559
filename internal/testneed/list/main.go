// Command list prints which of the programs that tests use beyond Go are found here, and for the others how to get them.
// Tests that need a missing program are skipped.
//
//	go run ./internal/testneed/list
package main

import (
	"fmt"
	"io"
	"os"
	"text/tabwriter"

	"expenseflow/internal/testneed"
)

func main() {
	if err := write(os.Stdout, testneed.Needs(".")); err != nil {
		fmt.Fprintln(os.Stderr, "list:", err)
		os.Exit(1)
	}
}

func write(out io.Writer, needs []testneed.Need) error {
	w := tabwriter.NewWriter(out, 0, 8, 2, ' ', 0)
	skipped := 0
	for _, n := range needs {
		if where, ok := n.Find(); ok {
			fmt.Fprintf(w, "found\t%s\t%s\n", n.Name, where)
		} else {
			skipped++
			fmt.Fprintf(w, "skipped\t%s\t%s\n", n.Name, n.Get)
		}
	}
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := fmt.Fprintf(out, "%d of %d found; tests that need the others are skipped\n", len(needs)-skipped, len(needs))
	return err
}
