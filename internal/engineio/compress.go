package engineio

import (
	"bytes"
	"io"
	"net/http"
	"sync"

	"expenseflow/internal/accept"

	"github.com/klauspost/compress/gzip"
	"github.com/klauspost/compress/zlib"
)

// compressThreshold is the smallest polling answer that is compressed, in bytes.
const compressThreshold = 1024

// A compressor is a gzip or zlib writer.
type compressor interface {
	io.WriteCloser
	Reset(io.Writer)
}

// compressors are pools by content coding. HTTP's "deflate" is the format of zlib.
var compressors = map[string]*sync.Pool{
	"gzip":    {New: func() any { return gzip.NewWriter(nil) }},
	"deflate": {New: func() any { return zlib.NewWriter(nil) }},
}

// compressed returns body in the coding that the client prefers among gzip and deflate,
// and names that in h; or it returns body as it is.
func compressed(h http.Header, r *http.Request, body []byte) []byte {
	if len(body) < compressThreshold {
		return body
	}
	coding := accept.Encoding(r.Header, "gzip", "deflate")
	if coding == "" {
		return body
	}
	h.Set("Content-Encoding", coding)
	return pack(compressors[coding], body)
}

func pack(pool *sync.Pool, body []byte) []byte {
	var out bytes.Buffer
	w := pool.Get().(compressor)
	defer pool.Put(w)
	w.Reset(&out)
	_, _ = w.Write(body) // a bytes.Buffer takes everything
	_ = w.Close()
	return out.Bytes()
}
