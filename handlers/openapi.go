package handlers

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"sync"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/accept"
)

// OpenAPI handles /openapi.json and /openapi.yaml.
type OpenAPI struct {
	JSON, YAML []byte // the same OpenAPI 3.0 document in two formats
}

// Register adds the routes to root, behind mw.
func (h *OpenAPI) Register(root *echo.Group, mw ...echo.MiddlewareFunc) {
	get(root, "/openapi.json", document(mediaJSON, h.JSON), mw...)
	get(root, "/openapi.yaml", document("application/yaml; charset=utf-8", h.YAML), mw...)
}

// document returns a handler that sends text, which is compressed once.
func document(media string, text []byte) echo.HandlerFunc {
	zipped := sync.OnceValue(func() []byte { return gzipped(text) })
	return func(c echo.Context) error {
		if accept.Encoding(c.Request().Header, "gzip") == "" {
			return c.Blob(http.StatusOK, media, text)
		}
		c.Response().Header().Set(echo.HeaderContentEncoding, "gzip")
		return c.Blob(http.StatusOK, media, zipped())
	}
}

func gzipped(text []byte) []byte {
	var b bytes.Buffer
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // a valid level
	_, _ = w.Write(text)                                  // a bytes.Buffer does not fail
	_ = w.Close()
	return b.Bytes()
}
