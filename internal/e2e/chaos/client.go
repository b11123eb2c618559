package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"expenseflow/internal/socketio/socketiotest"
)

// A client is a Socket.IO client of our own, on the one for tests: it connects by one
// transport, recovers as npm's client does, and comes back until it is closed.
type client struct {
	url     string // http://host:port
	token   string
	device  string
	polling bool
	ear     ear

	pid, offset string // what the last connections left
	stop        context.CancelFunc
	ended       chan struct{}
}

func openClient(url, token, device string, polling bool, e ear) *client {
	ctx, stop := context.WithCancel(context.Background())
	c := &client{url: url, token: token, device: device, polling: polling, ear: e, stop: stop, ended: make(chan struct{})}
	go c.run(ctx)
	return c
}

func (c *client) close() {
	c.stop()
	<-c.ended
}

var errRefused = errors.New("refused")

// run connects again and again, with pauses like those that the npm clients are
// given, until the server refuses for good.
func (c *client) run(ctx context.Context) {
	defer close(c.ended)
	for wait := firstWait; ctx.Err() == nil; wait = min(2*wait, lastWait) {
		was, err := c.connection(ctx)
		if errors.Is(err, errRefused) {
			return
		}
		if was {
			wait = firstWait
			c.ear.disconnected(err.Error())
		}
		select {
		case <-ctx.Done():
		case <-time.After(wait):
		}
	}
}

// The pauses before clients connect again.
const (
	firstWait = 50 * time.Millisecond
	lastWait  = 200 * time.Millisecond
)

// connection lives through one connection and tells whether CONNECT was answered.
func (c *client) connection(ctx context.Context) (connected bool, err error) {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	conn, err := socketiotest.Dial(ctx, c.url, socketiotest.Options{Polling: c.polling, Patience: quiet})
	if err != nil {
		return false, err
	}
	defer conn.Close()
	if err := conn.Send("40" + c.auth()); err != nil {
		return false, err
	}
	for {
		p, err := conn.Receive()
		if err != nil {
			return connected, err
		}
		is, err := c.take(p)
		connected = connected || is
		if err != nil {
			return connected, err
		}
	}
}

func (c *client) auth() string {
	auth := map[string]string{"token": c.token, "deviceId": c.device}
	if c.pid != "" {
		auth["pid"] = c.pid
	}
	if c.offset != "" {
		auth["offset"] = c.offset
	}
	b, _ := json.Marshal(auth) // cannot fail
	return string(b)
}

// take handles one packet and tells whether it answered CONNECT.
func (c *client) take(p string) (connected bool, err error) {
	switch {
	case strings.HasPrefix(p, "40"):
		c.welcome([]byte(p[2:]))
		return true, nil
	case strings.HasPrefix(p, "44"):
		c.ear.refused(p[2:])
		return false, errRefused
	case strings.HasPrefix(p, "41"):
		c.ear.refused("disconnected by the server")
		return false, errRefused
	case strings.HasPrefix(p, "42"):
		return false, c.event([]byte(p[2:]))
	}
	return false, nil
}

// welcome reads the answer to CONNECT. An answer with the pid that the client had
// says that nothing was missed.
func (c *client) welcome(b []byte) {
	var reply struct{ PID string }
	_ = json.Unmarshal(b, &reply) // without a pid nothing is recovered
	recovered := reply.PID != "" && reply.PID == c.pid
	c.pid = reply.PID
	c.ear.connected(recovered)
}

func (c *client) event(b []byte) error {
	var args []json.RawMessage
	if err := json.Unmarshal(b, &args); err != nil || len(args) == 0 {
		return fmt.Errorf("event %.80q does not decode: %w", b, err)
	}
	c.ear.event(text(args[0]), args[1:])
	if last := text(args[len(args)-1]); c.pid != "" && last != "" {
		c.offset = last
	}
	return nil
}

// quiet is how long a server may say nothing: its ping interval and its timeout
// are 45 s together.
const quiet = 45 * time.Second
