package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"expenseflow/internal/e2e/process"
	"expenseflow/internal/testneed"
)

// settings are those of a server on PostgreSQL; data is a folder for its secret.
func settings(url, data string) []string {
	return []string{"DATABASE_URL=" + url, "DATA_DIR=" + data, "MAX_EXPENSES_PER_USER=0", "RATE_LIMIT=0", "LOG_LEVEL=error"}
}

// leave moves the database in data to a new PostgreSQL server, and takes a backup there.
func leave(ctx context.Context, binary, data string) error {
	url, stop, err := testneed.DurablePostgres()
	if err != nil {
		return err
	}
	defer stop()
	move := exec.CommandContext(ctx, binary, "move", "--to", url)
	move.Env = append(os.Environ(), "DATABASE_URL=", "DATA_DIR="+data)
	move.Stdout, move.Stderr = os.Stdout, os.Stderr
	u, err := watched(move, nil)
	if err != nil {
		return err
	}
	fmt.Printf("\nmove --to postgres: %v\n", u)
	server, err := process.Start(ctx, binary, settings(url, data)...)
	if err != nil {
		return fmt.Errorf("%w\n%s", err, server.Log())
	}
	return errors.Join(backUp(ctx, binary, server, settings(url, data)), server.Stop())
}

// String says what a process needed.
func (u usage) String() string {
	return fmt.Sprintf("%.1f s, %.1f s of processors, %d MB of memory at most", u.took.Seconds(), u.cpu.Seconds(), peak(u.memory))
}

// baseline is for how long entries are created before the backup.
const baseline = 10 * time.Second

// backUp takes a backup while two devices create entries as fast as they are answered.
func backUp(ctx context.Context, binary string, server *process.Server, env []string) error {
	account, err := process.Register(ctx, http.DefaultClient, server.Addr, "leave@example.org")
	if err != nil {
		return err
	}
	var during usage
	alone, err := creating(ctx, server.Addr, account, func() error {
		select {
		case <-time.After(baseline):
		case <-ctx.Done():
		}
		return ctx.Err()
	})
	if err != nil {
		return err
	}
	beside, err := creating(ctx, server.Addr, account, func() (err error) {
		cmd := exec.CommandContext(ctx, binary, "backup", "--to", filepath.Join(server.Dir, "backups"))
		cmd.Env = append(os.Environ(), env...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		during, err = watched(cmd, nil)
		return err
	})
	fmt.Printf("\nbackup by pg_dump: %v\ncreates without it: %v\ncreates during it: %v\n", during, alone.over(baseline),
		beside.over(during.took))
	return err
}

// latencies are those of creates.
type latencies []time.Duration

// over describes latencies that were measured for a time.
func (l latencies) over(d time.Duration) string {
	if len(l) == 0 {
		return "none"
	}
	slices.Sort(l)
	return fmt.Sprintf("%.0f a second, median %v, p99 %v, longest %v", float64(len(l))/d.Seconds(), l[len(l)/2], l[len(l)*99/100],
		l[len(l)-1])
}

// creating creates entries by two devices while fn runs.
func creating(ctx context.Context, addr string, a process.Account, fn func() error) (all latencies, err error) {
	ctx, stop := context.WithCancel(ctx)
	var mu sync.Mutex
	var g sync.WaitGroup
	var failed error
	for range 2 {
		g.Go(func() {
			own, err := create(ctx, addr, a)
			mu.Lock()
			defer mu.Unlock()
			all, failed = append(all, own...), errors.Join(failed, err)
		})
	}
	err = fn()
	stop()
	g.Wait()
	return all, errors.Join(err, failed)
}

func create(ctx context.Context, addr string, a process.Account) (all latencies, err error) {
	const lunch = `{"description":"Lunch","amount":12.5,"category":"food","type":"expense"}`
	for ctx.Err() == nil {
		began := time.Now()
		answer, err := process.Send(ctx, http.DefaultClient, http.MethodPost, "http://"+addr+"/api/expenses", a.Token, lunch)
		switch {
		case ctx.Err() != nil:
			return all, nil
		case err != nil:
			return all, err
		case answer.Status != http.StatusCreated:
			return all, fmt.Errorf("a create was answered by %d %.200s", answer.Status, answer.Body)
		}
		all = append(all, time.Since(began).Round(10*time.Microsecond))
	}
	return all, nil
}
