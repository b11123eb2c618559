// Command entries repeats, one by one and in small, what attacks, public bug
// reports and foreign client suites once showed, against the program as it is or
// as it was, and says of each whether the fault is there.
//
//	go run ./internal/e2e/entries                       the program of this module
//	go run ./internal/e2e/entries -binary ./expenseflow another build, such as an old one
//	go run ./internal/e2e/entries -only attack-1,fault-3
//
// Each entry starts a fresh server with the default settings, unless it names
// others, on an empty SQLite file and a loopback port. A line tells the entry, what
// was done, what was observed, and the judgement:
//
//	fault   what the entry describes is there
//	mended  it is not
//	see     a test shows it that needs more than a request: another database, a
//	        browser, minutes
//
// The program ends with 1 if a fault is there or an entry could not be tried.
// docs/lab holds what it said of the program before and after.
package main

import (
	"context"
	"errors"
	"fmt"
	"slices"

	"expenseflow/internal/e2e/process"
)

func main() {
	binary, only := process.BinaryFlag(), process.OnlyFlag("entries")
	process.Main(func(ctx context.Context) error {
		chosen, err := choose(only())
		if err != nil {
			return err
		}
		path, remove, err := binary(ctx)
		if err != nil {
			return err
		}
		defer remove()
		return try(ctx, path, chosen)
	})
}

// choose finds the entries of these names; all if there are none.
func choose(only []string) ([]entry, error) {
	all := slices.Concat(attacks, low, faults, suites)
	if len(only) == 0 {
		return all, nil
	}
	var chosen []entry
	for _, id := range only {
		i := slices.IndexFunc(all, func(e entry) bool { return e.id == id })
		if i < 0 {
			return nil, fmt.Errorf("no entry is called %s", id)
		}
		chosen = append(chosen, all[i])
	}
	return chosen, nil
}

// try prints a line for each entry and what they come to.
func try(ctx context.Context, binary string, chosen []entry) error {
	count := map[string]int{}
	for _, e := range chosen {
		observed, judgement := e.judge(ctx, binary)
		count[judgement]++
		fmt.Printf("%-11s %-7s %s\n%20s%s\n", e.id, judgement, e.about, "", observed)
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	fmt.Printf("\n%d mended, %d fault, %d see, %d untried\n", count[mended], count[fault], count[see], count[untried])
	if count[fault]+count[untried] > 0 {
		return errors.New("not everything is mended")
	}
	return nil
}
