// Package migrations embeds the numbered SQL files that build the schema, one
// folder for each engine. A released file never changes; a change is a new
// number in both folders, and internal/store's tests prove that both lead to
// the same schema.
package migrations

import "embed"

// FS holds sqlite/NNNN_name.sql and postgres/NNNN_name.sql.
//
//go:embed sqlite/*.sql postgres/*.sql
var FS embed.FS
