package cluster

import (
	"bufio"
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"sync/atomic"
	"time"
)

const (
	// clientStall and ownerStall are how long one end of a tunnel may take nothing of what
	// the other sends. The owner ends a client that stalls by itself, and does not read one
	// to which too much is to be sent.
	clientStall = 15 * time.Second
	ownerStall  = 45 * time.Second
	// halfClosedTime is how long one direction of a tunnel goes on when the other has ended.
	halfClosedTime = 10 * time.Second
	// sendBuffer is the size of the kernel's send buffer towards a client in bytes.
	sendBuffer = 128 << 10
)

// A tunnel passes the bytes of a WebSocket connection on between a client and the owner of
// its session. While nothing is sent it costs two connections and two goroutines that hold
// no buffer.
type tunnel struct {
	client, owner net.Conn

	f       *forwarding
	running atomic.Int32 // directions
	release func()       // see Routing.Take
	forget  func() bool  // has the owner's death mean nothing to it any more
}

// tunnel forwards a WebSocket handshake, and what follows if the owner accepts it. It
// returns at once then, so that the request's buffers are freed while the tunnel lives.
func (f *forwarding) tunnel(w http.ResponseWriter, r *http.Request, owner *peer, release func()) {
	conn, answer, err := f.handshake(r, owner)
	if err != nil {
		release()
		f.fail(w, r, owner, err)
		return
	}
	if answer.StatusCode != http.StatusSwitchingProtocols {
		defer release()
		defer conn.Close()
		f.c.stats.forwarded.Add(1)
		copyAnswer(w, answer)
		return
	}
	if err := f.takeOver(w, conn, answer, owner, release); err != nil {
		release()
		_ = conn.Close()
		panic(http.ErrAbortHandler)
	}
}

// handshake sends the owner a WebSocket handshake and returns its answer, and the connection
// on which it came.
func (f *forwarding) handshake(r *http.Request, owner *peer) (net.Conn, *http.Response, error) {
	ctx, cancel := context.WithCancelCause(r.Context())
	defer cancel(nil)
	defer context.AfterFunc(f.ending, func() { cancel(errEnding) })()
	conn, err := f.dial(ctx, owner.address)
	if err != nil {
		return nil, nil, causeOf(ctx, err)
	}
	answer, err := f.ask(ctx, conn, r, owner)
	if err != nil {
		return nil, nil, errors.Join(causeOf(ctx, err), conn.Close())
	}
	return conn, answer, nil
}

// ask sends the handshake over conn and reads the head of the answer.
func (f *forwarding) ask(ctx context.Context, conn net.Conn, r *http.Request, owner *peer) (*http.Response, error) {
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	_ = conn.SetDeadline(time.Now().Add(ownerTimeout))
	out := f.request(ctx, r, owner)
	out.Body = nil
	out.Header.Set("Connection", "Upgrade")
	out.Header.Set("Upgrade", "websocket")
	if err := out.Write(conn); err != nil {
		return nil, err
	}
	head := bufio.NewReader(io.LimitReader(conn, maxAnswerHead))
	answer, err := http.ReadResponse(head, out)
	if err != nil {
		return nil, err
	}
	if answer.StatusCode == http.StatusSwitchingProtocols { // what it sent at once
		early, _ := head.Peek(head.Buffered())
		answer.Body = io.NopCloser(bytes.NewReader(bytes.Clone(early)))
	}
	return answer, nil
}

// takeOver takes the client's connection over and begins to pass bytes on.
func (f *forwarding) takeOver(w http.ResponseWriter, owner net.Conn, answer *http.Response, p *peer, release func()) error {
	client, rw, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return err
	}
	carrier := client
	if encrypted, ok := client.(*tls.Conn); ok {
		carrier = encrypted.NetConn()
	}
	if tcp, ok := carrier.(interface{ SetWriteBuffer(bytes int) error }); ok {
		_ = tcp.SetWriteBuffer(sendBuffer)
	}
	_ = client.SetDeadline(time.Now().Add(ownerTimeout))
	var head bytes.Buffer
	head.WriteString("HTTP/1.1 101 Switching Protocols\r\n")
	_ = answer.Header.Write(&head)
	head.WriteString("\r\n")
	_, _ = head.ReadFrom(answer.Body)
	early, _ := rw.Reader.Peek(rw.Reader.Buffered())
	if _, err = client.Write(head.Bytes()); err == nil && len(early) > 0 {
		_, err = owner.Write(early)
	}
	if err != nil {
		return errors.Join(err, client.Close())
	}
	_, _ = client.SetDeadline(time.Time{}), owner.SetDeadline(time.Time{})
	f.start(&tunnel{client: client, owner: owner, f: f, release: release}, p)
	f.c.stats.forwarded.Add(1)
	return nil
}

// start begins to pass bytes on, until either end closes, the owner is dead, or nothing is
// to be forwarded any more.
func (f *forwarding) start(t *tunnel, p *peer) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.stopped {
		t.close()
		t.release()
		return
	}
	f.tunnels[t] = struct{}{}
	t.forget = context.AfterFunc(p.gone, t.close)
	t.running.Store(2)
	f.open.Add(2)
	go t.pass(t.owner, t.client, ownerStall)
	go t.pass(t.client, t.owner, clientStall)
}

// close ends the tunnel. It may be called more than once.
func (t *tunnel) close() { _, _ = t.client.Close(), t.owner.Close() }

// pass passes bytes on in one direction until it ends. The other direction may go on for a
// while then: the last words of a connection are said in turn.
func (t *tunnel) pass(to, from net.Conn, stall time.Duration) {
	defer t.f.open.Done()
	err := passOn(to, from, stall)
	if t.running.Add(-1) == 0 {
		t.end()
		return
	}
	half, ok := to.(interface{ CloseWrite() error })
	if err != nil || !ok || half.CloseWrite() != nil {
		t.close()
		return
	}
	_ = to.SetReadDeadline(time.Now().Add(halfClosedTime))
}

func (t *tunnel) end() {
	t.close()
	t.forget()
	t.f.mu.Lock()
	delete(t.f.tunnels, t)
	t.f.mu.Unlock()
	t.release()
}

// passOn passes bytes on until from ends, which is no error.
func passOn(to, from net.Conn, stall time.Duration) error {
	in := newTunnelReader(from)
	for {
		b, n, err := in.read()
		if n > 0 {
			_ = to.SetWriteDeadline(time.Now().Add(stall))
			_, wrong := to.Write(b[:n])
			err = errors.Join(err, wrong)
		}
		in.done(b)
		switch {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
	}
}

// Tunnels returns a function for each open tunnel that ends it. Its client reconnects by
// itself.
func (c *Cluster) Tunnels() (all []func()) {
	if c == nil {
		return nil
	}
	c.forward.mu.Lock()
	defer c.forward.mu.Unlock()
	for t := range c.forward.tunnels {
		all = append(all, t.close)
	}
	return all
}

// StopForwarding ends everything that is being forwarded, and refuses to forward more. When
// it returns nil, no tunnel is open.
func (c *Cluster) StopForwarding(ctx context.Context) error {
	if c == nil {
		return nil
	}
	f := &c.forward
	f.end()
	f.mu.Lock()
	f.stopped = true
	f.mu.Unlock()
	for _, end := range c.Tunnels() {
		end()
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		f.open.Wait()
		f.transport.CloseIdleConnections()
	}()
	select {
	case <-ended:
		return nil
	case <-ctx.Done():
		return context.Cause(ctx)
	}
}
