package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"time"

	"expenseflow/internal/e2e/process"
	"expenseflow/internal/socketio/socketiotest"
)

// attackFrom is the address that floods come from; the others are elsewhere.
const attackFrom = "127.0.0.66"

// An attacker is the flooding process.
type attacker struct {
	addr   string
	client *http.Client

	mu   sync.Mutex
	told answers
}

// runAttack floods addr for length and prints what it was told, as JSON.
func runAttack(ctx context.Context, name, addr string, length time.Duration) error {
	f, ok := floodNamed(name)
	if !ok {
		return fmt.Errorf("no flood is called %s", name)
	}
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	a := &attacker{addr: addr, told: answers{}, client: &http.Client{
		Timeout:   2 * time.Minute,
		Transport: &http.Transport{DialContext: process.DialerFrom(attackFrom).DialContext, MaxIdleConnsPerHost: 512},
	}}
	if err := f.run(ctx, a); err != nil && ctx.Err() == nil {
		return err
	}
	<-ctx.Done() // what is held stays held until the end
	a.mu.Lock()
	defer a.mu.Unlock()
	return json.NewEncoder(os.Stdout).Encode(a.told)
}

// note counts an outcome.
func (a *attacker) note(what string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.told[what]++
}

func (a *attacker) noteError(err error) {
	var timeout net.Error
	var refused *socketiotest.RefusedError
	switch {
	case errors.As(err, &refused):
		a.note(fmt.Sprint(refused.Status))
	case errors.Is(err, context.Canceled), errors.Is(err, context.DeadlineExceeded):
	case errors.As(err, &timeout) && timeout.Timeout():
		a.note("timeout")
	case strings.Contains(err.Error(), "reset"):
		a.note("connection reset")
	case strings.Contains(err.Error(), "refused"):
		a.note("connection refused")
	case strings.Contains(err.Error(), "EOF"), strings.Contains(err.Error(), "closed"), strings.Contains(err.Error(), "broken pipe"):
		a.note("connection closed")
	default:
		a.note(fmt.Sprintf("%.60s", err))
	}
}

// account registers an attacker's account, patiently.
func (a *attacker) account(ctx context.Context, n int) (string, error) {
	made, err := process.Register(ctx, a.client, a.addr, fmt.Sprintf("attacker%d@example.org", n))
	return made.Token, err
}

// ask sends one request and counts its status.
func (a *attacker) ask(ctx context.Context, method, path, token, body string) process.Answer {
	answer, err := process.Send(ctx, a.client, method, "http://"+a.addr+path, token, body)
	if err != nil {
		a.noteError(err)
		return process.Answer{}
	}
	a.note(fmt.Sprint(answer.Status))
	return answer
}

// loop has n workers repeat fn until ctx ends.
func loop(ctx context.Context, n int, fn func(worker int)) {
	var g sync.WaitGroup
	for i := range n {
		g.Go(func() {
			for ctx.Err() == nil {
				fn(i)
			}
		})
	}
	g.Wait()
}

// dial opens a plain connection that ends with ctx.
func (a *attacker) dial(ctx context.Context) (net.Conn, error) {
	c, err := process.DialerFrom(attackFrom).DialContext(ctx, "tcp", a.addr)
	if err != nil {
		return nil, err
	}
	context.AfterFunc(ctx, func() { _ = c.Close() })
	return c, nil
}

// hold opens n connections, writes what on each, and counts how they end. Each
// that ends is opened anew.
func (a *attacker) hold(ctx context.Context, n int, what func(i int) string, trickle string) {
	loop(ctx, n, func(i int) {
		defer func() { _ = pause(ctx, 100*time.Millisecond) }()
		c, err := a.dial(ctx)
		if err != nil {
			a.noteError(err)
			return
		}
		defer c.Close()
		if _, err := io.WriteString(c, what(i)); err != nil {
			a.noteError(err)
			return
		}
		go func() {
			for trickle != "" && pause(ctx, time.Second) == nil {
				if _, err := io.WriteString(c, trickle); err != nil {
					return
				}
			}
		}()
		a.noteAnswer(c)
	})
}

// noteAnswer reads until the server has said something or gone.
func (a *attacker) noteAnswer(c net.Conn) {
	b := make([]byte, 64)
	n, err := c.Read(b)
	if n >= 12 && string(b[:5]) == "HTTP/" {
		a.note(string(b[9:12]))
	} else if err != nil {
		a.noteError(err)
	}
}

// create is a batch's operation number i.
func createOperation(i int, description string) string {
	return fmt.Sprintf(`{"action":"CREATE","resourceType":"expense","resourceId":"temp_%d","deviceId":"flood","timestamp":%d,`+
		`"data":{"description":%q,"amount":1,"category":"food","type":"expense"}}`, i, 1700000000000+i, description)
}

// batch joins operations.
func batch(operations ...string) string {
	return `{"operations":[` + strings.Join(operations, ",") + `]}`
}

// fill creates n expenses of the account.
func (a *attacker) fill(ctx context.Context, token string, n int) {
	for from := 0; from < n && ctx.Err() == nil; from += 10000 {
		var ops []string
		for i := from; i < min(n, from+10000); i++ {
			ops = append(ops, createOperation(i, "filler"))
		}
		a.ask(ctx, http.MethodPost, "/api/sync/batch", token, batch(ops...))
	}
}
