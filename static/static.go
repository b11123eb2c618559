// Package static holds the browser app: the page that is served at / and at
// /expensetracker.html, its ES modules, its style and its icons.
//
// Promises:
//   - The page works under ContentSecurityPolicy: no inline script or style,
//     nothing from another origin. TestPageKeepsItsPolicy holds it to that.
//   - There is no build: what is embedded is what a browser runs, line by line, but for
//     comments and indentation (comments.go). All modules are sent in one, js/app.js,
//     since each file of its own would cost milliseconds (link.go).
//   - Every address in it is relative to the page's folder, and what it keeps in the browser
//     is named after that folder (js/base.js): it works below any path of a proxy, beside
//     other installations on the same origin, and nothing is filled in for that.
//   - Every file that the page needs is named in sw.js, so that it opens without a
//     server. TestEveryFileOfThePageIsKept says which one is missing.
//
// The Socket.IO client is not here: the page loads it from
// /socket.io/socket.io.js, where internal/socketio serves it.
package static

import (
	"embed"
	"io/fs"
	"path"
	"strings"
)

// Files are the files of the app by their path below /, as they are sent. The page itself
// is index.html.
var Files fs.FS = newServed(sources)

//go:embed index.html style.css dark.css theme.js favicon.svg icon-192.png icon-512.png manifest.json sw.js js
var sources embed.FS

// ContentSecurityPolicy is the policy that the page needs and no more: its own
// files, its own API, and the live connection, whose ws: address older Safari
// does not count as 'self'.
const ContentSecurityPolicy = "default-src 'self'; connect-src 'self' ws: wss:; object-src 'none'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"

// IsLoaded reports whether a browser loads a file to show the page. The others are modules as
// they are written, for who reads them in a browser, and pictures of an installed page.
func IsLoaded(name string) bool {
	return path.Ext(name) != ".png" && (name == programName || !strings.HasPrefix(name, "js/"))
}
