//go:build unix

package engineio_test

import (
	"bytes"
	"context"
	"io"
	"net"
	"net/http"
	"runtime"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/lxzan/gws"

	"expenseflow/internal/engineio"
)

// These benchmarks chose what reads WebSocket frames, see docs/decisions/0002 and
// 0009. They stay so that the choice can be made again:
//
//	go test -run '^$' -bench Reader -benchtime 1x ./internal/engineio

// upgraders answer a WebSocket handshake, return, and read on a goroutine.
var upgraders = map[string]http.HandlerFunc{
	"bare":    readBare,
	"gorilla": readWithGorilla,
	"gws":     readWithGws,
}

// readBare is the minimum: the handshake's answer and a goroutine in Read.
func readBare(w http.ResponseWriter, _ *http.Request) {
	c, _, err := http.NewResponseController(w).Hijack()
	if err != nil {
		return
	}
	_, _ = io.WriteString(c, "HTTP/1.1 101 Switching Protocols\r\n\r\n")
	go func() {
		defer c.Close()
		var b [1]byte
		_, _ = c.Read(b[:])
	}()
}

var gorillaUpgrader = websocket.Upgrader{ReadBufferSize: 1024, WriteBufferPool: new(pool)}

// pool is a write buffer pool that keeps nothing.
type pool struct{}

func (*pool) Get() any { return nil }
func (*pool) Put(any)  {}

func readWithGorilla(w http.ResponseWriter, r *http.Request) {
	c, err := gorillaUpgrader.Upgrade(w, r, nil)
	if err != nil {
		return
	}
	c.SetReadLimit(100 << 20)
	go func() {
		defer c.Close()
		for {
			if _, _, err := c.ReadMessage(); err != nil {
				return
			}
		}
	}()
}

var gwsUpgrader = gws.NewUpgrader(&gws.BuiltinEventHandler{}, &gws.ServerOption{
	ReadBufferSize: 1024, WriteBufferSize: 1024, ReadMaxPayloadSize: 100 << 20,
})

func readWithGws(w http.ResponseWriter, r *http.Request) {
	if c, err := gwsUpgrader.Upgrade(w, r); err == nil {
		go c.ReadLoop()
	}
}

// idle is a Handler whose sessions keep nothing.
type idle struct{}

func (idle) Open(s *engineio.Session) engineio.Receiver { s.ReleaseHandshake(); return idle{} }
func (idle) Message(engineio.Message)                   {}
func (idle) Drained()                                   {}
func (idle) Closed(engineio.Reason, error)              {}

// engineUpgrader reads with this package.
func engineUpgrader(b *testing.B) http.HandlerFunc {
	server := engineio.New(engineio.Config{}, idle{})
	b.Cleanup(func() {
		cut, cancel := context.WithCancel(context.Background())
		cancel()
		_ = server.Shutdown(cut)
	})
	return server.ServeHTTP
}

func eachReader(b *testing.B, f func(b *testing.B, h http.HandlerFunc)) {
	for _, name := range []string{"bare", "gorilla", "gws", "engineio"} {
		b.Run(name, func(b *testing.B) {
			h := upgraders[name]
			if h == nil {
				h = engineUpgrader(b)
			}
			f(b, h)
		})
	}
}

// clients connects n times. They are plain descriptors, so they cost no memory
// that Go counts.
func clients(b *testing.B, h http.HandlerFunc, n int) (fds []int) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	server := &http.Server{Handler: h}
	go func() { _ = server.Serve(ln) }()
	to := &syscall.SockaddrInet4{Port: ln.Addr().(*net.TCPAddr).Port, Addr: [4]byte{127, 0, 0, 1}}
	for range n {
		fds = append(fds, client(b, to))
	}
	b.Cleanup(func() {
		for _, fd := range fds {
			_ = syscall.Close(fd)
		}
		_ = server.Close()
		time.Sleep(100 * time.Millisecond) // the readers notice
	})
	return fds
}

func client(b *testing.B, to syscall.Sockaddr) int {
	fd, err := syscall.Socket(syscall.AF_INET, syscall.SOCK_STREAM, 0)
	if err == nil {
		err = syscall.Connect(fd, to)
	}
	if err == nil {
		_, err = syscall.Write(fd, []byte("GET /?EIO=4&transport=websocket HTTP/1.1\r\nHost: x\r\nUpgrade: websocket\r\n"+
			"Connection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Key: DXR4dX615eRds8nRmlhqtw==\r\n\r\n"))
	}
	if err != nil {
		b.Fatal(err)
	}
	var answer [4096]byte
	if n, err := syscall.Read(fd, answer[:]); err != nil || !strings.HasPrefix(string(answer[:n]), "HTTP/1.1 101") {
		b.Fatalf("handshake: %v %q", err, answer[:n])
	}
	return fd
}

// memory is what Go holds for objects and stacks, after collections that also
// empty pools and shrink stacks.
func memory() int64 {
	for range 4 {
		runtime.GC()
	}
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return int64(m.HeapAlloc + m.StackInuse)
}

func BenchmarkReaderIdleMemory(b *testing.B) {
	const n = 2000
	eachReader(b, func(b *testing.B, h http.HandlerFunc) {
		clients(b, h, 100) // warm
		before := memory()
		clients(b, h, n)
		time.Sleep(100 * time.Millisecond) // net/http's goroutines end
		b.ReportMetric(float64(memory()-before)/n, "B/conn")
	})
}

// The memory that a frame header announcing 10 MiB makes a reader allocate.
func BenchmarkReaderAnnouncedLength(b *testing.B) {
	const n = 50
	eachReader(b, func(b *testing.B, h http.HandlerFunc) {
		fds := clients(b, h, n)
		before := memory()
		for _, fd := range fds {
			_, _ = syscall.Write(fd, frame(finText, 900_000, "4only this"))
		}
		time.Sleep(100 * time.Millisecond) // they read it
		b.ReportMetric(float64(memory()-before)/n, "B/conn")
	})
}

// The processor time for a message of 100,000 fragments of one byte.
func BenchmarkReaderFragments(b *testing.B) {
	var message bytes.Buffer
	message.Write(small(text, "4"))
	for range 100_000 {
		message.Write(small(more, "x"))
	}
	message.Write(small(finMore, ""))
	message.Write(small(0x88, "")) // and goodbye, which is answered
	streamed(b, message.Bytes())
}

// The processor time for 100,000 small messages.
func BenchmarkReaderMessages(b *testing.B) {
	all := bytes.Repeat(small(finText, `42["echo",{"n":1}]`), 100_000)
	streamed(b, append(all, small(0x88, "")...))
}

// streamed sends bytes that end with a close frame to a reader and waits for its answer.
func streamed(b *testing.B, stream []byte) {
	eachReader(b, func(b *testing.B, h http.HandlerFunc) {
		fds := clients(b, h, b.N)
		b.ResetTimer()
		for _, fd := range fds {
			b.StartTimer()
			if _, err := syscall.Write(fd, stream); err != nil {
				b.Fatal(err)
			}
			awaitEnd(fd)
		}
	})
}

// awaitEnd reads until the server closes the connection or sends a close frame.
func awaitEnd(fd int) {
	var answer [4096]byte
	for {
		n, err := syscall.Read(fd, answer[:])
		if err != nil || n == 0 || bytes.Contains(answer[:n], []byte{0x88}) {
			return
		}
	}
}
