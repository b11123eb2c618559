// Speed measures expenseflow import mongo: it writes an archive as mongodump does, imports it into
// a new SQLite database by a program of its own, and says how long that took and how much memory
// it had.
//
//	go run ./internal/original/speed -expenses 1000000 -users 200 -plot import.svg
//
// With -leave it goes on: it moves the database to a new PostgreSQL, and takes a backup of that by
// pg_dump while entries are created.
//
//	go run ./internal/original/speed -expenses 100000 -leave
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
)

// A measurement is what is asked for.
type measurement struct {
	expenses, users int
	plot, keep      string
	again, leave    bool
}

func main() {
	log.SetFlags(0)
	var m measurement
	flag.IntVar(&m.expenses, "expenses", 1_000_000, "number of expenses")
	flag.IntVar(&m.users, "users", 200, "number of users, whose expenses alternate")
	flag.StringVar(&m.plot, "plot", "", "file for a picture (SVG) of memory against records")
	flag.StringVar(&m.keep, "keep", "", "folder that keeps dump and database; a temporary one otherwise")
	flag.BoolVar(&m.again, "again", false, "import a second time, which changes nothing")
	flag.BoolVar(&m.leave, "leave", false, "then move to PostgreSQL, and take a backup of that while entries are created")
	flag.Parse()
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()
	if err := m.run(ctx); err != nil {
		log.Fatal(err)
	}
}

func (m *measurement) run(ctx context.Context) (err error) {
	dir := m.keep
	if dir == "" {
		if dir, err = os.MkdirTemp("", "expenseflow-speed-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(dir)) }()
	}
	binary, dump := filepath.Join(dir, "expenseflow"), filepath.Join(dir, "dump.archive")
	if out, err := exec.CommandContext(ctx, "go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		return fmt.Errorf("%w: %s", err, out)
	}
	if err := writeDump(dump, m.expenses, m.users); err != nil {
		return err
	}
	if err := m.measure(ctx, binary, dump, dir); err != nil {
		return err
	}
	if m.again {
		err = m.measure(ctx, binary, dump, dir)
	}
	if err == nil && m.leave {
		err = leave(ctx, binary, filepath.Join(dir, "data"))
	}
	return err
}

// measure imports the dump once.
func (m *measurement) measure(ctx context.Context, binary, dump, dir string) error {
	cmd := exec.CommandContext(ctx, binary, "import", "mongo", dump)
	cmd.Env = append(os.Environ(), "DATABASE_URL=", "DATA_DIR="+filepath.Join(dir, "data"), "MAX_EXPENSES_PER_USER=0")
	told := &progress{to: os.Stderr}
	cmd.Stdout, cmd.Stderr = os.Stdout, told
	u, err := watched(cmd, told.records)
	fmt.Printf("\n%d expenses of %d users in %.1f s (%.0f per second) and %.1f s of processors; "+
		"%d MB of memory at most, %d MB in the middle\n",
		m.expenses, m.users, u.took.Seconds(), float64(m.expenses)/u.took.Seconds(), u.cpu.Seconds(), peak(u.memory), middle(u.memory))
	if m.plot != "" {
		title := fmt.Sprintf("%d expenses, %.0f s", m.expenses, u.took.Seconds())
		err = errors.Join(err, plot(m.plot, u.memory, int64(m.expenses+m.users), title))
	}
	return err
}
