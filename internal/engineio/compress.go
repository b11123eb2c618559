package engineio

import (
	"bytes"
	"io"
	"net/http"
	"strconv"
	"strings"
	"sync"

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

// compressors are in order of preference. HTTP's "deflate" is zlib's format.
var compressors = []struct {
	name string
	pool *sync.Pool
}{
	{"gzip", &sync.Pool{New: func() any { return gzip.NewWriter(nil) }}},
	{"deflate", &sync.Pool{New: func() any { return zlib.NewWriter(nil) }}},
}

// compressed returns body in the encoding that the client prefers of ours and
// names it in h, or returns it as it is.
func compressed(h http.Header, r *http.Request, body []byte) []byte {
	if len(body) < compressThreshold {
		return body
	}
	accepted := strings.Join(r.Header["Accept-Encoding"], ",")
	for _, c := range compressors {
		if acceptsEncoding(accepted, c.name) {
			h.Set("Content-Encoding", c.name)
			return pack(c.pool, body)
		}
	}
	return body
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

// acceptsEncoding looks for name, or "*", with a weight above 0 (RFC 9110 section
// 12.5.3).
func acceptsEncoding(accepted, name string) bool {
	any := false
	for part := range strings.SplitSeq(accepted, ",") {
		coding, params, _ := strings.Cut(part, ";")
		switch strings.ToLower(strings.TrimSpace(coding)) {
		case name:
			return weight(params) > 0
		case "*":
			any = weight(params) > 0
		}
	}
	return any
}

// weight reads "q=0.5"; 1 if it is not there.
func weight(params string) float64 {
	_, q, ok := strings.Cut(strings.ReplaceAll(params, " ", ""), "q=")
	if !ok {
		return 1
	}
	f, err := strconv.ParseFloat(q, 64)
	if err != nil {
		return 0
	}
	return f
}
