package handlers

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"mime"
	"net/http"
	"path"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

// types are the media types of a frontend's files. The system's own table is
// asked for others only, since it differs from machine to machine.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
	".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".json": "application/json; charset=utf-8", ".map": "application/json; charset=utf-8",
	".webmanifest": "application/manifest+json", ".txt": "text/plain; charset=utf-8", ".xml": "application/xml",
	".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
	".webp": "image/webp", ".avif": "image/avif", ".ico": "image/x-icon", ".woff": "font/woff", ".woff2": "font/woff2",
	".wasm": "application/wasm", ".pdf": "application/pdf",
}

// Static serves the frontend's files, and nothing else: no listings, no names
// that start with a dot, nothing outside of Files (docs/contract.md#d29, docs/contract.md#files).
type Static struct {
	Files fs.FS

	// Policy is the Content-Security-Policy of every file; "" sends none, not even
	// the one of other answers, since an existing frontend may need anything
	// (docs/contract.md, D35).
	Policy string

	// tags maps paths to ETags, of files that have no date. ETags are weak:
	// compression makes two representations of one file, and a part of the one must
	// not be joined to the rest of the other.
	tags sync.Map
}

// Register puts the files at the root, behind every other route and mw.
func (h *Static) Register(root *echo.Group, mw ...echo.MiddlewareFunc) {
	get(root, "/*", h.serve, mw...)
}

// serve handles GET of everything that is no other route's. "/" and
// "/expensetracker.html" are the page: installed apps start at the latter
// (docs/contract.md#d28).
//
//	200, 206 or 304 the file    301 a folder without a slash    404 no such file
//	302 / of a frontend whose page is public/index.html
func (h *Static) serve(c echo.Context) error {
	name := strings.TrimPrefix(path.Clean("/"+c.Request().URL.Path), "/")
	if hidden(name) {
		return unknownRoute(c)
	}
	if strings.HasSuffix(c.Request().URL.Path, "/") {
		name = path.Join(name, "index.html")
	}
	err := h.file(c, name)
	if errors.Is(err, fs.ErrNotExist) && name == "expensetracker.html" {
		err = h.file(c, "index.html")
	}
	if errors.Is(err, fs.ErrNotExist) {
		return h.elsewhere(c, name)
	}
	return err
}

// elsewhere answers for what is not there. A checkout whose page is in public/ is
// opened there, as its links expect.
func (h *Static) elsewhere(c echo.Context, name string) error {
	if _, err := fs.Stat(h.Files, publicPage); err != nil || name != "index.html" {
		return unknownRoute(c)
	}
	return c.Redirect(http.StatusFound, "/"+publicPage)
}

const publicPage = "public/index.html"

func hidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.Contains(name, "/.") || !fs.ValidPath(strings.TrimSuffix(name, "/")) && name != ""
}

func (h *Static) file(c echo.Context, name string) error {
	f, err := h.Files.Open(name)
	if err != nil {
		return missing(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return missing(err)
	}
	if info.IsDir() {
		return h.folder(c, name)
	}
	content, ok := f.(io.ReadSeeker)
	if !ok || !info.Mode().IsRegular() {
		return fs.ErrNotExist
	}
	h.headers(c.Response().Header(), name, info, content)
	if c.Request().Header.Get("If-Range") != "" { // it asks for a strong validator
		c.Request().Header.Del("Range")
	}
	http.ServeContent(c.Response(), c.Request(), name, info.ModTime(), content)
	return nil
}

// missing makes "may not be read" look like "is not there": neither is served.
func missing(err error) error {
	return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
}

// folder sends a browser to the folder's page, so that relative links work.
func (h *Static) folder(c echo.Context, name string) error {
	if _, err := fs.Stat(h.Files, path.Join(name, "index.html")); err != nil {
		return missing(err)
	}
	return c.Redirect(http.StatusMovedPermanently, "/"+name+"/")
}

func (h *Static) headers(w http.Header, name string, info fs.FileInfo, content io.ReadSeeker) {
	w.Set(echo.HeaderContentType, mediaType(name))
	w.Set(echo.HeaderCacheControl, "no-cache") // ask each time; the answer is mostly 304
	w.Del(echo.HeaderContentSecurityPolicy)
	if h.Policy != "" {
		w.Set(echo.HeaderContentSecurityPolicy, h.Policy)
		w.Set(echo.HeaderReferrerPolicy, "no-referrer")
	}
	w.Set("ETag", h.tag(name, info, content))
}

func mediaType(name string) string {
	ext := strings.ToLower(path.Ext(name))
	if t, ok := types[ext]; ok {
		return t
	}
	if t := mime.TypeByExtension(ext); t != "" {
		return t
	}
	return echo.MIMEOctetStream
}

// tag names the content of a file: by size and date, or by a hash if the file is
// embedded, whose date is nobody's.
func (h *Static) tag(name string, info fs.FileInfo, content io.ReadSeeker) string {
	if at := info.ModTime(); !at.IsZero() {
		return fmt.Sprintf(`W/"%x-%x"`, info.Size(), at.UnixNano())
	}
	if tag, ok := h.tags.Load(name); ok {
		return tag.(string)
	}
	sum := sha256.New()
	_, _ = io.Copy(sum, content) // memory, which does not fail
	_, _ = content.Seek(0, io.SeekStart)
	tag := `W/"` + hex.EncodeToString(sum.Sum(nil)[:12]) + `"`
	h.tags.Store(name, tag)
	return tag
}
