package e2e

import (
	"net/http"
	"path/filepath"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// What the dump in internal/mongodump/testdata has of one user.
var (
	ann         = person{"Ann Example", "ann@example.org", "correct horse 1"}
	annsEntries = 23
)

// dumpMoment is in the month of the dump's entries.
const dumpMoment = "2025-12-31T12:00:00Z"

// dumped is the absolute path of a file that MongoDB's tools wrote.
func dumped(t *testing.T, name string) string {
	t.Helper()
	path, err := filepath.Abs(filepath.Join("..", "mongodump", "testdata", name))
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// oldToken is a token as the server in Express made it: the account's id and two times.
func oldToken(t *testing.T, id string) string {
	t.Helper()
	issued := time.Now().Add(-24 * time.Hour)
	return signed(t, jwt.MapClaims{"id": id, "iat": issued.Unix(), "exp": issued.Add(7 * 24 * time.Hour).Unix()})
}

// The guide's commands, beside a server whose pages see each entry arrive: one that was open with
// a token of the old server, and the built-in one after signing in with the old password.
func TestGuideFromExpressAndMongoDB(t *testing.T) {
	t.Parallel()
	p := start(t)
	p.run(t, "import", "mongo", dumped(t, "array/users.json"))
	laptop := startBrowser(t).at(t, p, "UTC", dumpMoment)
	laptop.signIn(t, ann)
	laptop.awaitStatus(t, "Live")
	a := ann.account(t, p)
	a.Token = oldToken(t, a.ID)
	page := startNode(t).openPage(t, p.url(), a, "device_of_ann", transports[2], seconds30)

	g := openGuide(t, p, "From Express, MongoDB and Socket.IO in ten minutes",
		`mongodump --uri="$MONGODB_URI" --archive --gzip`, "cat "+dumped(t, "dump.archive.gz"))
	g.run(t, "mongodump")
	g.run(t, "expenseflow import mongo --dry-run")
	same(t, "expenses after the dry run", 0, len(a.expenses(t)))
	g.run(t, "expenseflow import mongo")
	page.hear(t, annsEntries, "expense_created")
	laptop.fill(t, "Search", "hotel")
	laptop.awaitRows(t, "Hotel in New York −US$250.00")
	same(t, "expenses", annsEntries, len(a.expenses(t)))

	page.add(t, "Lunch after the move")
	g.run(t, "expenseflow import mongo")
	laptop.fill(t, "Search", "")
	a.settle(t, page.device)
	same(t, "created events", annsEntries+2, len(page.events("expense_created"))) // the page's own, and that of settle
	bob := &account{p: p, Email: "bob@example.org"}
	bob.signIn(t, "/api/auth/login", map[string]any{"email": bob.Email, "password": "battery staple 2"}, http.StatusOK)
	same(t, "expenses of another account", 16, len(bob.expenses(t)))
	g.done(t)
}
