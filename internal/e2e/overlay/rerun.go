package overlay

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"

	"expenseflow/internal/e2e/process"
)

// Rerun is for a program, or a TestMain, that needs the overlay and was built without
// (see Applied): it builds itself anew by the go command with these arguments, which end
// in its package, and with the race detector if race says so. It returns the exit code
// with which the new one, given the same arguments as this, has ended.
func Rerun(race bool, build ...string) int {
	code, err := rerun(race, build)
	if err != nil {
		fmt.Fprintln(os.Stderr, "build with the overlay:", err)
		return 1
	}
	return code
}

func rerun(race bool, build []string) (code int, err error) {
	dir, err := os.MkdirTemp("", "expenseflow-overlay-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	list, err := Write(dir)
	if err != nil {
		return 0, err
	}
	binary, last := filepath.Join(dir, "rerun"), len(build)-1
	flags := []string{"-overlay", list, "-ldflags=-s -w", "-o", binary}
	if race {
		flags = append(flags, process.RaceFlags...)
	}
	args := slices.Concat(build[:last], flags, build[last:])
	if out, err := exec.Command("go", args...).CombinedOutput(); err != nil {
		return 0, fmt.Errorf("%w\n%s", err, out)
	}
	signal.Notify(make(chan os.Signal, 1), os.Interrupt) // the terminal sends it to both, and the new one decides
	cmd := exec.Command(binary, os.Args[1:]...)
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	err = cmd.Run()
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}
