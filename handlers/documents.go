package handlers

import (
	"bytes"
	"compress/gzip"
	"net/http"
	"sync"

	"github.com/labstack/echo/v4"

	"expenseflow/internal/accept"
)

// Documents answers with what the API says of itself.
type Documents struct {
	JSON, YAML []byte // one document, OpenAPI 3.0, in two forms
}

// Register puts the routes at the root, behind mw. The documents are compressed once.
func (h *Documents) Register(root *echo.Group, mw ...echo.MiddlewareFunc) {
	get(root, "/openapi.json", document(mediaJSON, h.JSON), mw...)
	get(root, "/openapi.yaml", document("application/yaml; charset=utf-8", h.YAML), mw...)
}

// document handles GET of a document.
//
//	200 the document
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
	w, _ := gzip.NewWriterLevel(&b, gzip.BestCompression) // a level that there is
	_, _ = w.Write(text)                                  // memory, which does not fail
	_ = w.Close()
	return b.Bytes()
}
