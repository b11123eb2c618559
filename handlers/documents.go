package handlers

import (
	"net/http"

	"github.com/labstack/echo/v4"
)

// Documents answers with what the API says of itself.
type Documents struct {
	JSON, YAML []byte // one document, OpenAPI 3.0, in two forms
}

// Register puts the routes at the root, behind mw.
func (h *Documents) Register(root *echo.Group, mw ...echo.MiddlewareFunc) {
	get(root, "/openapi.json", h.json, mw...)
	get(root, "/openapi.yaml", h.yaml, mw...)
}

// json handles GET /openapi.json.
func (h *Documents) json(c echo.Context) error { return jsonBytes(c, http.StatusOK, h.JSON) }

// yaml handles GET /openapi.yaml.
func (h *Documents) yaml(c echo.Context) error {
	return c.Blob(http.StatusOK, "application/yaml; charset=utf-8", h.YAML)
}
