// Package control serves HTTP on a Unix socket for commands of the same machine, which
// cannot open a database file that the server has.
//
// What it promises:
//
//   - Nobody but the user of the process, and root, can connect at any moment: the socket is
//     made in a folder of mode 0700 and gets its name when its own mode is 0600.
//   - Listen replaces the file that a killed process left. So its caller holds a lock that
//     no other process has while it serves at the same path.
//   - Bodies are streams in both directions, without a deadline but that of the caller's
//     context.
//
// Local calls a handler in the same process in the same way, for a command that could open
// the database by itself.
package control

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"syscall"
	"time"
)

// MaxPath is how many bytes the path of a socket may have: 107 on Linux, 103 on macOS.
const MaxPath = len(syscall.RawSockaddrUnix{}.Path) - 1

// headerTimeout bounds the head of a request; dialTimeout how long a server may take to
// accept one; endTimeout how long the end of a server waits for its clients.
const (
	headerTimeout = 10 * time.Second
	dialTimeout   = 5 * time.Second
	endTimeout    = 3 * time.Second
)

// checkPath refuses a path that the system would refuse as an "invalid argument".
func checkPath(path string) error {
	if len(path) > MaxPath {
		return fmt.Errorf("the path %s of a Unix socket has %d bytes, and this system allows %d: choose a shorter folder",
			path, len(path), MaxPath)
	}
	return nil
}

// Listen makes the socket at path and listens there. Closing the listener removes it.
func Listen(path string) (net.Listener, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	private, err := os.MkdirTemp(filepath.Dir(path), ".c") // mode 0700
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(private)
	fresh := filepath.Join(private, "s")
	ln, err := net.ListenUnix("unix", &net.UnixAddr{Name: fresh, Net: "unix"})
	if err != nil {
		return nil, err
	}
	ln.SetUnlinkOnClose(false)
	if err = os.Chmod(fresh, 0o600); err == nil {
		err = os.Rename(fresh, path)
	}
	if err != nil {
		return nil, errors.Join(err, ln.Close())
	}
	return &listener{ln, path}, nil
}

type listener struct {
	*net.UnixListener
	path string
}

// Close stops listening and removes the socket, if nobody has done so before.
func (l *listener) Close() error {
	err := l.UnixListener.Close()
	if errors.Is(err, net.ErrClosed) {
		return err
	}
	removed := os.Remove(l.path)
	if errors.Is(removed, fs.ErrNotExist) {
		removed = nil
	}
	return errors.Join(err, removed)
}

// NewServer makes the server of a listener.
func NewServer(h http.Handler) *http.Server {
	return &http.Server{Handler: h, ReadHeaderTimeout: headerTimeout}
}

// Shutdown ends a server. It lets requests end, and closes the connections of those that do
// not: a client may read nothing for hours, such as one whose output a pager has.
func Shutdown(ctx context.Context, s *http.Server) error {
	ctx, cancel := context.WithTimeout(ctx, endTimeout)
	defer cancel()
	err := s.Shutdown(ctx)
	if ctx.Err() != nil {
		return s.Close()
	}
	return err
}

// Dial returns a client of the server that listens at path, whatever host its URLs name. The
// error is fs.ErrPermission if the socket is another user's; after any other, no server
// listens there.
func Dial(ctx context.Context, path string) (*http.Client, error) {
	if err := checkPath(path); err != nil {
		return nil, err
	}
	dial := func(ctx context.Context, _, _ string) (net.Conn, error) {
		return (&net.Dialer{Timeout: dialTimeout}).DialContext(ctx, "unix", path)
	}
	conn, err := dial(ctx, "", "")
	if err != nil {
		return nil, err
	}
	return clientOf(dial), conn.Close()
}

// clientOf keeps no connection open, so nothing has to be closed.
func clientOf(dial func(ctx context.Context, network, address string) (net.Conn, error)) *http.Client {
	return &http.Client{Transport: &http.Transport{DialContext: dial, DisableKeepAlives: true, DisableCompression: true}}
}

// Local returns a client of h, which runs in this process until stop is called.
func Local(h http.Handler) (client *http.Client, stop func()) {
	ln := &pipes{accepted: make(chan net.Conn), closed: make(chan struct{})}
	server, ended := NewServer(h), make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(ln) // it ends with the listener
	}()
	return clientOf(ln.dial), func() {
		_ = server.Shutdown(context.Background()) // handlers end when their client has gone
		<-ended
	}
}

// pipes is a listener inside a process.
type pipes struct {
	accepted chan net.Conn
	closed   chan struct{}
}

func (p *pipes) dial(ctx context.Context, _, _ string) (net.Conn, error) {
	here, there := net.Pipe()
	select {
	case p.accepted <- there:
		return here, nil
	case <-p.closed:
	case <-ctx.Done():
	}
	return nil, errors.Join(net.ErrClosed, here.Close(), there.Close())
}

// Accept implements net.Listener.
func (p *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-p.accepted:
		return c, nil
	case <-p.closed:
		return nil, net.ErrClosed
	}
}

// Close implements net.Listener. http.Server calls it once.
func (p *pipes) Close() error {
	close(p.closed)
	return nil
}

// Addr implements net.Listener.
func (*pipes) Addr() net.Addr { return &net.UnixAddr{Name: "this process", Net: "unix"} }
