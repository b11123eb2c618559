// Package docs embeds the documents that the server serves of itself.
//
// openapi.yaml is written by hand. internal/app's tests hold every answer that
// they see against it, and it against every route. openapi.json is the same
// document for programs; `go test ./docs -update` makes it from the other.
package docs

import _ "embed"

// OpenAPIYAML describes the HTTP API, as OpenAPI 3.0.
//
//go:embed openapi.yaml
var OpenAPIYAML []byte

// OpenAPIJSON is OpenAPIYAML as JSON.
//
//go:embed openapi.json
var OpenAPIJSON []byte
