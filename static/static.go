// Package static holds the browser app: the page that is served at / and at
// /expensetracker.html, its ES modules, its style and its icons.
//
// Promises:
//   - The page works under ContentSecurityPolicy: no inline script or style,
//     nothing from another origin. TestPageKeepsItsPolicy holds it to that.
//   - Nothing is built: what is embedded is what a browser runs, line by line, but for
//     comments and indentation, which are not sent (comments.go).
//   - Every address in it is relative to the page's folder, and what it keeps in the browser
//     is named after that folder (js/base.js): it works below any path of a proxy, beside
//     other installations on the same origin, and nothing is filled in for that.
//   - Every module below js/ is named in index.html (so that it is fetched at
//     once, not in a waterfall) and in sw.js (so that the page opens without a
//     server). TestEveryModuleIsPreloadedAndKept says which one is missing.
//
// The Socket.IO client is not here: the page loads it from
// /socket.io/socket.io.js, where internal/socketio serves it.
package static

import (
	"embed"
	"io/fs"
)

// Files are the files of the app by their path below /, without comments and
// indentation. The page itself is index.html.
var Files fs.FS = commentless{sources}

//go:embed index.html style.css dark.css theme.js icons.svg favicon.svg icon-192.png icon-512.png manifest.json sw.js js
var sources embed.FS

// ContentSecurityPolicy is the policy that the page needs and no more: its own
// files, its own API, and the live connection, whose ws: address older Safari
// does not count as 'self'.
const ContentSecurityPolicy = "default-src 'self'; connect-src 'self' ws: wss:; object-src 'none'; " +
	"base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
