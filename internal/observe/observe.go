// Package observe makes the log, the metrics and the profiles of the process.
//
// Log lines and metric labels are made of routes, ids and counts. A line shows at most
// 256 bytes of any text: names of events, methods and paths are what a client chose. A
// label has one of a fixed set of values, so that no client can make new series.
package observe

import (
	"io"
	"log/slog"
	"strings"
)

// NewLogger makes a logger that writes lines of level ("debug", "info", "warn",
// "error") and above to w, as JSON or as text. An unknown level is info.
func NewLogger(w io.Writer, level string, json bool) *slog.Logger {
	var least slog.Level
	if least.UnmarshalText([]byte(level)) != nil {
		least = slog.LevelInfo
	}
	options := &slog.HandlerOptions{Level: least, ReplaceAttr: truncate}
	if json {
		return slog.New(slog.NewJSONHandler(w, options))
	}
	return slog.New(slog.NewTextHandler(w, options))
}

// maxTextBytes is how many bytes of a text a line shows.
const maxTextBytes = 256

// truncate shortens texts, except those that the program itself makes.
func truncate(_ []string, a slog.Attr) slog.Attr {
	if a.Key == slog.MessageKey || a.Key == "stack" || a.Key == "setting" || a.Value.Kind() != slog.KindString {
		return a
	}
	if text := a.Value.String(); len(text) > maxTextBytes {
		a.Value = slog.StringValue(strings.ToValidUTF8(text[:maxTextBytes], "") + "...")
	}
	return a
}
