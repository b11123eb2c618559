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
	"net/url"
	"path"
	"strings"
	"sync"

	"github.com/labstack/echo/v4"
)

// types are the media types of a frontend's files. They take precedence over the system's
// table, which differs between machines.
var types = map[string]string{
	".html": "text/html; charset=utf-8", ".css": "text/css; charset=utf-8",
	".js": "text/javascript; charset=utf-8", ".mjs": "text/javascript; charset=utf-8",
	".json": "application/json; charset=utf-8", ".map": "application/json; charset=utf-8",
	".webmanifest": "application/manifest+json", ".txt": "text/plain; charset=utf-8", ".xml": "application/xml",
	".svg": "image/svg+xml", ".png": "image/png", ".jpg": "image/jpeg", ".jpeg": "image/jpeg", ".gif": "image/gif",
	".webp": "image/webp", ".avif": "image/avif", ".ico": "image/x-icon", ".woff": "font/woff", ".woff2": "font/woff2",
	".wasm": "application/wasm", ".pdf": "application/pdf",
}

// Static serves the files of the frontend. It lists no directories, and serves no names
// that start with a dot and nothing outside of Files (docs/contract.md#d29,
// docs/contract.md#files).
type Static struct {
	Files fs.FS

	// Policy is the Content-Security-Policy of every file. "" sends none and removes the
	// default one, because it is not known what an existing frontend loads
	// (docs/contract.md#d35).
	Policy string

	// tags maps paths of files without a modification time to their ETags. ETags are
	// weak, because compression creates a second representation of a file, whose ranges
	// must not be combined with those of the first.
	tags sync.Map
}

// Register adds a route to root, behind mw, for all paths without another route.
func (h *Static) Register(root *echo.Group, mw ...echo.MiddlewareFunc) {
	get(root, "/*", h.serve, mw...)
}

// serve handles GET of all paths without another route. "/" and "/expensetracker.html" are
// the page; installed apps start at the latter (docs/contract.md#d28).
//
//	200, 206 or 304 the file    301 a directory without a trailing slash    404 no such file
//	302 "/" of a frontend whose page is public/index.html
func (h *Static) serve(c echo.Context) error {
	name := strings.TrimPrefix(path.Clean("/"+c.Request().URL.Path), "/")
	if isHidden(name) {
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
		return h.redirectToPublic(c, name)
	}
	return err
}

// redirectToPublic handles a path without a file. For the index page of a frontend that
// has it in public/, it redirects there, where the page's links are valid.
func (h *Static) redirectToPublic(c echo.Context, name string) error {
	if _, err := fs.Stat(h.Files, publicPage); err != nil || name != "index.html" {
		return unknownRoute(c)
	}
	return c.Redirect(http.StatusFound, publicPage)
}

const publicPage = "public/index.html"

func isHidden(name string) bool {
	return strings.HasPrefix(name, ".") || strings.Contains(name, "/.") || !fs.ValidPath(strings.TrimSuffix(name, "/")) && name != ""
}

func (h *Static) file(c echo.Context, name string) error {
	f, err := h.Files.Open(name)
	if err != nil {
		return asNotExist(err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return asNotExist(err)
	}
	if info.IsDir() {
		return h.folder(c, name)
	}
	content, ok := f.(io.ReadSeeker)
	if !ok || !info.Mode().IsRegular() {
		return fs.ErrNotExist
	}
	h.headers(c.Response().Header(), name, info, content)
	if c.Request().Header.Get("If-Range") != "" { // requires a strong validator
		c.Request().Header.Del("Range")
	}
	http.ServeContent(c.Response(), c.Request(), name, info.ModTime(), content)
	return nil
}

// asNotExist converts any error of opening a file to fs.ErrNotExist.
func asNotExist(err error) error {
	return fmt.Errorf("%w: %w", fs.ErrNotExist, err)
}

// folder redirects to the directory's index page, so that its relative links work. The
// address is relative, because the server may be below a path that only a proxy knows.
func (h *Static) folder(c echo.Context, name string) error {
	if _, err := fs.Stat(h.Files, path.Join(name, "index.html")); err != nil {
		return asNotExist(err)
	}
	index := url.URL{Path: path.Base(name) + "/"}
	return c.Redirect(http.StatusMovedPermanently, index.String())
}

func (h *Static) headers(w http.Header, name string, info fs.FileInfo, content io.ReadSeeker) {
	w.Set(echo.HeaderContentType, mediaType(name))
	w.Set(echo.HeaderCacheControl, "no-cache") // revalidate each time; usually answered by 304
	w.Del(echo.HeaderContentSecurityPolicy)
	if h.Policy != "" {
		w.Set(echo.HeaderContentSecurityPolicy, h.Policy)
		w.Set(echo.HeaderReferrerPolicy, "no-referrer")
	}
	w.Set("ETag", h.etag(name, info, content))
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

// etag returns the ETag of a file: of its size and modification time, or a hash of the
// content of an embedded file, which has no modification time.
func (h *Static) etag(name string, info fs.FileInfo, content io.ReadSeeker) string {
	if at := info.ModTime(); !at.IsZero() {
		return fmt.Sprintf(`W/"%x-%x"`, info.Size(), at.UnixNano())
	}
	if tag, ok := h.tags.Load(name); ok {
		return tag.(string)
	}
	sum := sha256.New()
	_, _ = io.Copy(sum, content) // an embedded file does not fail
	_, _ = content.Seek(0, io.SeekStart)
	tag := `W/"` + hex.EncodeToString(sum.Sum(nil)[:12]) + `"`
	h.tags.Store(name, tag)
	return tag
}
