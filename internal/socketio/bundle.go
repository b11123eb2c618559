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

// clientVersion is the version of npm's socket.io-client whose files are embedded. The
// directory bundle has the files of its dist folder, compressed, and its licence.
const clientVersion = "4.8.4"

// unreadBodyTimeout is how long the body of a request for a file may take to arrive.
const unreadBodyTimeout = 2 * time.Second

//go:embed bundle/*.gz
var bundleFiles embed.FS

// A bundle is one file of the browser client.
type bundle struct {
	gzipped     []byte
	contentType string
}

// bundles are the files that the Node.js server serves too, by name.
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
		panic(err) // it is embedded by the line above
	}
	return &bundle{gzipped: data, contentType: contentType}
}

// serveBundle answers as the Node.js server does: browsers revalidate a file at each use by
// an ETag, which is the version.
func (s *Server) serveBundle(w http.ResponseWriter, r *http.Request, b *bundle) {
	h := w.Header()
	h.Set("Cache-Control", "public, max-age=0")
	h.Set("ETag", `"`+clientVersion+`"`)
	h.Add("Vary", "Accept-Encoding")
	if r.ContentLength != 0 { // the body is not read, and net/http would wait for it for ever
		_ = http.NewResponseController(w).SetReadDeadline(time.Now().Add(unreadBodyTimeout))
	}
	if s.cfg.Engine.CORS.Apply(w, r) {
		return
	}
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		h.Set("Allow", "GET, HEAD")
		http.Error(w, "Method Not Allowed", http.StatusMethodNotAllowed)
		return
	}
	if matchesVersion(r.Header.Get("If-None-Match")) {
		w.WriteHeader(http.StatusNotModified)
		return
	}
	h.Set("Content-Type", b.contentType)
	s.writeBundle(w, r, b)
}

// writeBundle sends the file, decompressed for clients that do not accept gzip.
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

// matchesVersion reports whether an If-None-Match header has the version, as a strong or a
// weak tag.
func matchesVersion(header string) bool {
	for tag := range strings.SplitSeq(header, ",") {
		tag = strings.TrimPrefix(strings.TrimSpace(tag), "W/")
		if tag == `"`+clientVersion+`"` || tag == "*" {
			return true
		}
	}
	return false
}
