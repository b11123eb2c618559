// Package socketiotest is a Socket.IO client for tests, on the level of packets: a test
// says and reads what goes over the network, as text. It is written from the documents
// of the protocols (Engine.IO 4, Socket.IO 5) and shares no code with the server, so
// that a mistake of the one is not repeated by the other.
//
//	c, err := socketiotest.Dial(ctx, server.URL, socketiotest.Options{})
//	answer, err := c.Connect(`{"token":"…"}`)   // 40{"sid":"…"}
//	err = c.Send(`42["hello"]`)
//	packet, err := c.Receive()                  // 42["world"]
//
// It does not reconnect and does not upgrade.
package socketiotest

import (
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"

	"github.com/gorilla/websocket"
)

// Options say how a Client connects. The zero value is a WebSocket that waits for the
// server as long as it takes.
type Options struct {
	Polling bool        // by HTTP long-polling instead of WebSocket
	Header  http.Header // of the request that opens the session, and of all by polling
	Query   string      // follows the parameters of the protocol, such as "&sid=..."

	// Patience is how long Receive waits for a packet, pings not counted, and how long writing
	// one may take; 0 is as long as it takes once the session is open.
	Patience time.Duration

	// Dialer makes the connections, TLS and the time for a WebSocket's handshake
	// included; nil is websocket.DefaultDialer.
	Dialer *websocket.Dialer
}

// A Client is one Engine.IO session. One goroutine at a time may call Receive, and any
// number the other methods.
//
// A packet is a text whose first digit is Engine.IO's type, and Socket.IO's the second.
// A binary message is "b" and its bytes in base64, over WebSocket too.
type Client struct {
	transport transport
	patience  time.Duration
	open      string
	received  []string
}

// A transport carries packets.
type transport interface {
	read(deadline time.Time) (packets []string, err error) // without a deadline if it is zero
	write(packet string) error
	close() error
}

// ErrClosed reports that the server closed the session by a packet that says so.
var ErrClosed = errors.New("the server closed the session")

// Dial opens a session with the server at url, http://host:port, and reads its first
// packet. The session ends with ctx. A server's refusal is a *RefusedError.
func Dial(ctx context.Context, url string, o Options) (*Client, error) {
	t, err := dial(ctx, url, o)
	if err != nil {
		return nil, err
	}
	c := &Client{transport: t, patience: o.Patience}
	if err := c.begin(); err != nil {
		_ = t.close()
		return nil, err
	}
	return c, nil
}

// begin reads the session's first packet.
func (c *Client) begin() (err error) {
	if c.open, err = c.receive(time.Now().Add(openingPatience)); err != nil {
		return err
	}
	id, err := sid(c.open)
	if p, ok := c.transport.(*polling); ok {
		p.opened(id)
	}
	return err
}

// openingPatience is how long a session's first packet may take.
const openingPatience = 20 * time.Second

// DialSilent opens a WebSocket and reads nothing, for the upgrade of a session.
func DialSilent(ctx context.Context, url string, o Options) (*Client, error) {
	t, err := dialWebSocket(ctx, url, o)
	if err != nil {
		return nil, err
	}
	return &Client{transport: t, patience: o.Patience}, nil
}

func dial(ctx context.Context, url string, o Options) (transport, error) {
	if o.Polling {
		return newPolling(ctx, url, o), nil
	}
	return dialWebSocket(ctx, url, o)
}

// A RefusedError is the answer of a server that opens no session.
type RefusedError struct {
	Status int
	Body   string // its first part
}

func (e *RefusedError) Error() string { return fmt.Sprintf("answered %d: %.80q", e.Status, e.Body) }

// Connect joins the main namespace with auth, a JSON object or nothing, and returns the
// answer: a packet that begins with 40, or 44 if the server refuses.
func (c *Client) Connect(auth string) (answer string, err error) {
	if err := c.Send("40" + auth); err != nil {
		return "", err
	}
	return c.Receive()
}

// Opening returns the session's first packet.
func (c *Client) Opening() string { return c.open }

// Send sends one packet.
func (c *Client) Send(packet string) error { return c.transport.write(packet) }

// Receive returns the next packet, and answers pings, which it does not return.
func (c *Client) Receive() (packet string, err error) {
	var deadline time.Time
	if c.patience > 0 {
		deadline = time.Now().Add(c.patience)
	}
	return c.receive(deadline)
}

// receive is Receive until a deadline, which no ping puts off.
func (c *Client) receive(deadline time.Time) (packet string, err error) {
	for {
		if len(c.received) == 0 {
			if c.received, err = c.transport.read(deadline); err != nil {
				return "", err
			}
			continue
		}
		packet, c.received = c.received[0], c.received[1:]
		switch packet {
		case "1":
			return "", ErrClosed
		case "2":
			if err := c.Send("3"); err != nil {
				return "", err
			}
		default:
			return packet, nil
		}
	}
}

// Listen hands over each packet until the session ends, and returns why it did.
func (c *Client) Listen(hear func(packet string)) error {
	for {
		packet, err := c.Receive()
		if err != nil {
			return err
		}
		hear(packet)
	}
}

// Close ends the connection without a word.
func (c *Client) Close() error { return c.transport.close() }

// WebSocket returns the connection, for what packets cannot say; nil by polling.
func (c *Client) WebSocket() *websocket.Conn {
	if w, ok := c.transport.(*webSocket); ok {
		return w.conn
	}
	return nil
}

// SessionURL returns the address of a polling session's requests; "" over WebSocket.
func (c *Client) SessionURL() string {
	if p, ok := c.transport.(*polling); ok {
		return p.url
	}
	return ""
}

// Binary returns the packet of a binary message.
func Binary(data []byte) string { return "b" + base64.StdEncoding.EncodeToString(data) }

// Bytes returns the bytes of a packet that is a binary message; ok is false for any
// other packet.
func Bytes(packet string) (data []byte, ok bool) {
	text, ok := strings.CutPrefix(packet, "b")
	if !ok {
		return nil, false
	}
	data, err := base64.StdEncoding.DecodeString(text)
	return data, err == nil
}

type webSocket struct {
	conn     *websocket.Conn
	patience time.Duration
	stop     func() bool

	writing sync.Mutex
}

func dialWebSocket(ctx context.Context, url string, o Options) (*webSocket, error) {
	dialer := o.Dialer
	if dialer == nil {
		dialer = websocket.DefaultDialer
	}
	at := "ws" + strings.TrimPrefix(url, "http") + "/socket.io/?EIO=4&transport=websocket" + o.Query
	conn, res, err := dialer.DialContext(ctx, at, o.Header)
	if err != nil {
		if res != nil {
			err = refused(res)
		}
		return nil, err
	}
	w := &webSocket{conn: conn, patience: o.Patience}
	w.stop = context.AfterFunc(ctx, func() { _ = conn.Close() })
	return w, nil
}

func (w *webSocket) read(deadline time.Time) ([]string, error) {
	_ = w.conn.SetReadDeadline(deadline)
	kind, data, err := w.conn.ReadMessage()
	switch {
	case err != nil:
		return nil, err
	case kind == websocket.BinaryMessage:
		return []string{Binary(data)}, nil
	}
	return []string{string(data)}, nil
}

func (w *webSocket) write(packet string) error {
	kind, data := websocket.TextMessage, []byte(packet)
	if raw, ok := Bytes(packet); ok {
		kind, data = websocket.BinaryMessage, raw
	}
	w.writing.Lock()
	defer w.writing.Unlock()
	if w.patience > 0 {
		_ = w.conn.SetWriteDeadline(time.Now().Add(w.patience))
	}
	return w.conn.WriteMessage(kind, data)
}

func (w *webSocket) close() error {
	w.stop()
	return w.conn.Close()
}

// sid reads a session's id from its first packet.
func sid(opening string) (string, error) {
	var o struct{ SID string }
	if err := json.Unmarshal([]byte(strings.TrimPrefix(opening, "0")), &o); err != nil || o.SID == "" {
		return "", fmt.Errorf("no handshake: %.80q", opening)
	}
	return o.SID, nil
}

// From is a dialer whose connections come from the address local.
func From(local string, timeout time.Duration) *websocket.Dialer {
	d := &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(local)}, Timeout: timeout}
	return &websocket.Dialer{NetDialContext: d.DialContext, HandshakeTimeout: timeout, ReadBufferSize: 4096, WriteBufferSize: 4096}
}
