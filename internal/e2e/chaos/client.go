package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"

	"github.com/gorilla/websocket"
)

// A client is a Socket.IO client of our own, written from the protocols'
// documents (Engine.IO 4, Socket.IO 5) and sharing nothing with the server's
// code: it connects by one transport, recovers as npm's client does, and comes
// back until it is closed.
type client struct {
	url     string // http://host:port
	token   string
	polling bool
	ear     ear

	pid, offset string // what the last connections left
	stop        context.CancelFunc
	ended       chan struct{}
}

// A line carries Engine.IO packets, by either transport.
type line interface {
	read() (packets []string, err error)
	write(packet string) error
	close()
}

func openClient(url, token string, polling bool, e ear) *client {
	ctx, stop := context.WithCancel(context.Background())
	c := &client{url: url, token: token, polling: polling, ear: e, stop: stop, ended: make(chan struct{})}
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
	l, packets, err := c.dial(ctx)
	if err != nil {
		return false, err
	}
	defer l.close()
	context.AfterFunc(ctx, l.close)
	if err := l.write("40" + c.auth()); err != nil {
		return false, err
	}
	for {
		for _, p := range packets {
			is, err := c.take(l, p)
			connected = connected || is
			if err != nil {
				return connected, err
			}
		}
		if packets, err = l.read(); err != nil {
			return connected, err
		}
	}
}

func (c *client) auth() string {
	auth := map[string]string{"token": c.token}
	if c.pid != "" {
		auth["pid"] = c.pid
	}
	if c.offset != "" {
		auth["offset"] = c.offset
	}
	b, _ := json.Marshal(auth) // cannot fail
	return string(b)
}

// take handles one Engine.IO packet and tells whether it answered CONNECT.
func (c *client) take(l line, p string) (connected bool, err error) {
	switch {
	case p == "2":
		return false, l.write("3")
	case p == "1":
		return false, errors.New("closed by the server")
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

func (c *client) dial(ctx context.Context) (line, []string, error) {
	if c.polling {
		return dialPolling(ctx, c.url)
	}
	ws, res, err := websocket.DefaultDialer.DialContext(ctx, "ws"+strings.TrimPrefix(c.url, "http")+"/socket.io/?EIO=4&transport=websocket", nil)
	if res != nil {
		_ = res.Body.Close()
	}
	if err != nil {
		return nil, nil, err
	}
	return &wsLine{ws}, nil, nil
}

type wsLine struct{ ws *websocket.Conn }

func (l *wsLine) read() ([]string, error) {
	_ = l.ws.SetReadDeadline(time.Now().Add(quiet))
	_, b, err := l.ws.ReadMessage()
	return []string{string(b)}, err
}

func (l *wsLine) write(packet string) error {
	_ = l.ws.SetWriteDeadline(time.Now().Add(quiet))
	return l.ws.WriteMessage(websocket.TextMessage, []byte(packet))
}

func (l *wsLine) close() { _ = l.ws.Close() }

// A pollingLine asks for packets and posts them, one request at a time each.
type pollingLine struct {
	ctx  context.Context
	http *http.Client
	url  string // with the sid
}

func dialPolling(ctx context.Context, url string) (line, []string, error) {
	l := &pollingLine{ctx: ctx, url: url + "/socket.io/?EIO=4&transport=polling"}
	// A transport that reuses connections would ask again by itself where one broke, and
	// what the lost answer held would be missed.
	l.http = &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: quiet}
	packets, err := l.read()
	if err == nil {
		err = l.opened(packets)
	}
	if err != nil {
		l.close()
		return nil, nil, err
	}
	return l, packets, nil
}

func (l *pollingLine) opened(packets []string) error {
	var opening struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(packets[0], "0")), &opening); err != nil || opening.SID == "" {
		return fmt.Errorf("no handshake: %.80q", packets[0])
	}
	l.url += "&sid=" + opening.SID
	return nil
}

func (l *pollingLine) read() ([]string, error) {
	b, err := l.do(http.MethodGet, nil)
	return strings.Split(string(b), "\x1e"), err
}

func (l *pollingLine) write(packet string) error {
	_, err := l.do(http.MethodPost, []byte(packet))
	return err
}

func (l *pollingLine) do(method string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(l.ctx, method, l.url, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	res, err := l.http.Do(req)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	if err == nil && res.StatusCode != http.StatusOK {
		err = fmt.Errorf("answered %d: %.80q", res.StatusCode, b)
	}
	return b, err
}

func (l *pollingLine) close() { l.http.CloseIdleConnections() }
