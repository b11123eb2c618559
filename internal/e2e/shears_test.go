package e2e

import (
	"bufio"
	"bytes"
	bigendian "encoding/binary"
	"io"
	"net"
	"net/http"
	"strconv"
	"sync"
	"testing"
)

// shears stand between WebSocket clients and a program and cut a line exactly
// behind one event, whatever has arrived with it.
type shears struct {
	ln   net.Listener
	to   string
	open sync.WaitGroup

	mu     sync.Mutex
	prefix []byte // of the event's frame
	left   int    // such events before the cut; 0 cuts nothing
}

func startShears(t *testing.T, p *program) *shears {
	t.Helper()
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	x := &shears{ln: ln, to: net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port))}
	x.open.Go(x.accept)
	t.Cleanup(func() { _ = ln.Close() })
	return x
}

func (x *shears) url() string { return "http://" + x.ln.Addr().String() }

// cutBehind cuts the next line on which the n-th event of this name arrives.
func (x *shears) cutBehind(event string, n int) {
	x.mu.Lock()
	defer x.mu.Unlock()
	x.prefix, x.left = []byte(`42["`+event+`"`), n
}

// due tells whether the line is to be cut behind this frame.
func (x *shears) due(frame []byte) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.left == 0 || !bytes.HasPrefix(frame, x.prefix) {
		return false
	}
	x.left--
	return x.left == 0
}

func (x *shears) accept() {
	for {
		client, err := x.ln.Accept()
		if err != nil {
			return
		}
		server, err := net.Dial("tcp4", x.to)
		if err != nil {
			_ = client.Close()
			continue
		}
		go func() {
			_, _ = io.Copy(server, client)
			_ = server.Close()
		}()
		go func() {
			x.forward(client, bufio.NewReader(server))
			_, _ = client.Close(), server.Close()
		}()
	}
}

// forward gives the client what the program says, until the cut.
func (x *shears) forward(client io.Writer, from *bufio.Reader) {
	var head bytes.Buffer
	res, err := http.ReadResponse(bufio.NewReader(io.TeeReader(&byteReader{from}, &head)), nil)
	if err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		return
	}
	_ = res.Body.Close()
	if _, err := client.Write(head.Bytes()); err != nil {
		return
	}
	for {
		header, payload, err := readFrame(from)
		if err != nil {
			return
		}
		if _, err := client.Write(append(header, payload...)); err != nil || x.due(payload) {
			return
		}
	}
}

// readFrame reads one frame of a server (RFC 6455, section 5.2): not masked.
func readFrame(from io.Reader) (header, payload []byte, err error) {
	header = make([]byte, 2, 10)
	if _, err = io.ReadFull(from, header); err != nil {
		return nil, nil, err
	}
	size := uint64(header[1] & 0x7f)
	if more := map[uint64]int{126: 2, 127: 8}[size]; more > 0 {
		header = header[:2+more]
		if _, err = io.ReadFull(from, header[2:]); err != nil {
			return nil, nil, err
		}
		size = bigendian.BigEndian.Uint64(append(make([]byte, 8-more), header[2:]...))
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(from, payload)
	return header, payload, err
}

// A byteReader gives one byte at a time, so that nothing behind a head is taken.
type byteReader struct{ from io.Reader }

func (r *byteReader) Read(b []byte) (int, error) { return r.from.Read(b[:min(1, len(b))]) }
