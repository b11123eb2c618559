package socketio

import (
	"bytes"
	"compress/gzip"
	"embed"
	"io"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"time"

	"expenseflow/internal/accept"
)

// clientVersion is that of npm's socket.io-client whose files are embedded. The
// directory bundle holds what its dist folder holds, compressed, and its licence.
const clientVersion = "4.8.4"

// strayBody is how long the body of a request for a file may take.
const strayBody = 2 * time.Second

//go:embed bundle/*.gz
var bundleFiles embed.FS

// A bundle is one file of the browser client.
type bundle struct {
	gzipped     []byte
	contentType string
}

// bundles are the files that the Node.js server serves, by name.
var bundles = loadBundles()

func loadBundles() map[string]*bundle {
	files := map[string]*bundle{}
	for _, base := range []string{"socket.io.js", "socket.io.min.js", "socket.io.msgpack.min.js", "socket.io.esm.min.js"} {
		files[base] = loadBundle(base, "application/javascript; charset=utf-8")
		files[base+".map"] = loadBundle(base+".map", "application/json; charset=utf-8")
	}
	return files
}

func loadBundle(name, contentType string) *bundle {
	data, err := bundleFiles.ReadFile("bundle/" + name + ".gz")
	if err != nil {
		panic(err) // the program was built without it
	}
	return &bundle{gzipped: data, contentType: contentType}
}

// serveBundle answers as the Node.js server does: revalidated at each use by an
// ETag that is the version.
func (s *Server) serveBundle(w http.ResponseWriter, r *http.Request, b *bundle) {
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=0")
	h.Set("ETag", `"`+clientVersion+`"`)
	h.Add("Vary", "Accept-Encoding")
	if r.ContentLength != 0 { // nobody wants that body, and net/http would wait for it without end
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(strayBody))
	}
	if s.cfg.Engine.CORS.Apply(w, r) {
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	if knows(r.Header.Get("If-None-Match")) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", b.contentType)
	s.writeBundle(w, r, b)
}

// writeBundle sends the file, unpacked for those who do not take gzip.
func (s *Server) writeBundle(w http.ResponseWriter, r *http.Request, b *bundle) {
	if accept.Encoding(r.Header, "gzip") != "" {
		w.Header().Set("Content-Encoding", "gzip")
		w.Header().Set("Content-Length", strconv.Itoa(len(b.gzipped)))
		_, _ = w.Write(b.gzipped) // net/http drops the body for HEAD
		return
	}
	unpacked, err := gzip.NewReader(bytes.NewReader(b.gzipped))
	if err == nil {
		_, err = io.Copy(w, unpacked)
	}
	if err != nil {
		s.log.Debug("socket.io client was not sent", slog.Any("error", err))
	}
}

// knows tells whether an If-None-Match header names the version, as a strong or a
// weak tag.
func knows(header string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == `"`+clientVersion+`"` || tag == "*" {
			return true
		}
	}
	return false
}
