// Speed measures expenseflow import mongo: it writes an archive as mongodump does, imports it into
// a new SQLite database by a program of its own, and says how long that took and how much memory
// it had.
//
//	go run ./internal/original/speed -expenses 1000000 -users 200 -plot import.svg
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
	"time"
)

// A measurement is what is asked for.
type measurement struct {
	expenses, users int
	plot, keep      string
	again           bool
}

func main() {
	log.SetFlags(0)
	var m measurement
	flag.IntVar(&m.expenses, "expenses", 1_000_000, "number of expenses")
	flag.IntVar(&m.users, "users", 200, "number of users, whose expenses alternate")
	flag.StringVar(&m.plot, "plot", "", "file for a picture (SVG) of time and memory")
	flag.StringVar(&m.keep, "keep", "", "folder that keeps dump and database; a temporary one otherwise")
	flag.BoolVar(&m.again, "again", false, "import a second time, which changes nothing")
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
	if err := m.measure(ctx, binary, dump, dir); err != nil || !m.again {
		return err
	}
	return m.measure(ctx, binary, dump, dir)
}

// measure imports the dump once.
func (m *measurement) measure(ctx context.Context, binary, dump, dir string) error {
	cmd := exec.CommandContext(ctx, binary, "import", "mongo", dump)
	cmd.Env = append(os.Environ(), "DATABASE_URL=", "DATA_DIR="+filepath.Join(dir, "data"), "MAX_EXPENSES_PER_USER=0")
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return err
	}
	samples := watch(cmd.Process.Pid, began)
	err := cmd.Wait()
	took, memory := time.Since(began), samples()
	cpu := cmd.ProcessState.UserTime() + cmd.ProcessState.SystemTime()
	fmt.Printf("\n%d expenses of %d users in %.1f s (%.0f per second) and %.1f s of processors; "+
		"%d MB of memory at most, %d MB in the middle\n",
		m.expenses, m.users, took.Seconds(), float64(m.expenses)/took.Seconds(), cpu.Seconds(), peak(memory), middle(memory))
	if m.plot != "" {
		err = errors.Join(err, plot(m.plot, memory, fmt.Sprintf("%d expenses, %.0f s", m.expenses, took.Seconds())))
	}
	return err
}
