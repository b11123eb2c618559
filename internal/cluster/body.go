package cluster

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptrace"
	"net/textproto"
	"sync/atomic"
	"time"
)

// lingerTime is how long a client that sends a body which nobody wants may go on, so that
// it reads the answer.
const lingerTime = time.Second

// A forwardedBody is the body of a request while it is forwarded.
type forwardedBody struct {
	content  io.Reader
	left     int64 // bytes that may still be sent
	length   int64 // that was announced; negative if none was
	read     int64 // bytes
	complete atomic.Bool
	conn     *http.ResponseController
	streamed bool // by HTTP/2
}

// forwardBody makes r's body that of out. At most one byte more than Routing.MaxBody is
// sent, so that the owner, which has the same limit, sees that it is too large. A body that
// announces to be larger is sent only if the owner asks for it.
func (f *forwarding) forwardBody(w http.ResponseWriter, r, out *http.Request) *forwardedBody {
	b := &forwardedBody{
		content: r.Body, left: f.routing.MaxBody + 1, length: r.ContentLength, conn: http.NewResponseController(w),
		streamed: r.ProtoMajor >= 2,
	}
	b.complete.Store(r.ContentLength == 0)
	if r.Method != http.MethodPost || r.ContentLength == 0 {
		return b // of a GET it is left unread, as the owner would
	}
	_ = b.conn.SetReadDeadline(time.Now().Add(bodyTimeout))
	out.Body, out.ContentLength = b, r.ContentLength
	if r.ContentLength > f.routing.MaxBody {
		out.Header.Set("Expect", "100-continue")
	}
	return b
}

// Read implements io.Reader.
func (b *forwardedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, io.EOF
	}
	n, err := b.content.Read(p[:min(int64(len(p)), b.left)])
	b.left -= int64(n)
	b.read += int64(n)
	if errors.Is(err, io.EOF) || b.read == b.length {
		b.complete.Store(true)
	}
	return n, err
}

// Close implements io.Closer. The server closes its request's body itself.
func (b *forwardedBody) Close() error { return nil }

// leave prepares the answer: the connection closes if the body was not read to its end, or
// net/http would wait for the rest. Of HTTP/2 only the stream ends.
func (b *forwardedBody) leave(w http.ResponseWriter) {
	if b.complete.Load() {
		_ = b.conn.SetReadDeadline(time.Time{})
		return
	}
	_ = b.conn.SetReadDeadline(time.Now().Add(lingerTime))
	if !b.streamed {
		w.Header().Set("Connection", "close")
	}
}

// watchFor1xx returns a context for a request. When its receiver says that it has it, by an
// answer with a status of 1xx, silent is stopped.
func watchFor1xx(ctx context.Context, silent *time.Timer) context.Context {
	return httptrace.WithClientTrace(ctx, &httptrace.ClientTrace{
		Got1xxResponse: func(int, textproto.MIMEHeader) error {
			silent.Stop()
			return nil
		},
	})
}
