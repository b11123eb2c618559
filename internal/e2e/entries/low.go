package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"expenseflow/internal/e2e/process"
)

// low are the lesser findings of the attack.
var low = []entry{
	{id: "attack-6b", about: "a link in STATIC_DIR to a dot file is followed", env: unstarted, try: linkedFile},
	{
		id: "attack-21a", about: "typing in a crowded room is multiplied by its members",
		see: "TestAUserTypesWithOneDeviceAtATime, TestAFloodOfTypingIsHeardAsLittle",
	},
	{
		id: "attack-21b", about: "an ex-member hears comments in another process for a moment",
		see: "TestWhoLostTheRightElsewhereHearsNoCommentUntilTheLogSaysSo",
	},
	{
		id: "attack-21c", about: "a list of 150,000 rows is read as often as one likes",
		see: "TestSlowReadersOfLongListsStoppedEverybodysShortOnes",
	},
	{id: "attack-21d", about: "a password of six characters that everybody knows is taken", try: commonPassword},
	{id: "attack-21d2", about: "a password is cut at 72 bytes", try: cutPassword},
	{id: "attack-21e", about: "/socket.io/ answers without nosniff", try: sniffed},
	{
		id: "attack-21e2", about: "pages of STATIC_DIR may be framed and tell where a visitor came from", env: unstarted,
		try: bareHeaders,
	},
	{
		id: "attack-21f", about: "an Origin that equals the Host is believed, whatever the Host is",
		env: []string{"FRONTEND_URL=https://app.example"}, try: rebinding,
	},
	{id: "attack-21h", about: "a database file of 0 bytes is taken for a new one", env: unstarted, try: emptyFile},
	{id: "attack-21h2", about: "a second process opens the database by a hard link", env: unstarted, try: hardLink},
	{
		id: "attack-21i", about: "a kilobyte of the names that a client gives its fields reaches the log",
		see: "TestErrorsQuoteNoMoreThanAGlimpse",
	},
	{id: "attack-21l", about: "ids that let who knows them take a session over have 120 bits", try: shortIDs},
	{id: "attack-21m", about: "signing out without a network leaves the token good", see: "static/jstest/session.test.js"},
	{id: "attack-21n", about: "no account can be removed", try: endlessAccount},
}

func sniffed(t *trial) (string, bool) {
	a := t.ask(http.MethodGet, "/socket.io/?EIO=4&transport=nothing", "", "")
	got := a.Header.Get("X-Content-Type-Options")
	return fmt.Sprintf("X-Content-Type-Options: %q", got), got != "nosniff"
}

func commonPassword(t *trial) (string, bool) {
	a := t.ask(http.MethodPost, "/api/auth/register", "", process.Credentials("weak@example.org", "123456"))
	return fmt.Sprintf("registering with 123456: %s", a), a.Status/100 == 2
}

func cutPassword(t *trial) (string, bool) {
	start := strings.Repeat("a long password ", 5) // 80 bytes
	a := t.ask(http.MethodPost, "/api/auth/register", "", process.Credentials("long@example.org", start+"tail"))
	b := t.signIn(t.near, "long@example.org", start+"another")
	return fmt.Sprintf("registering with 84 bytes: %s; signing in with another end: %s", a, b), b.Status == http.StatusOK
}

func shortIDs(t *trial) (string, bool) {
	_, rest, _ := strings.Cut(t.ask(http.MethodGet, "/socket.io/?EIO=4&transport=polling", "", "").Body, `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	return fmt.Sprintf("%d characters of 6 bits", len(sid)), len(sid)*6 < 128
}

func endlessAccount(t *trial) (string, bool) {
	p := t.person("leaving")
	a := t.ask(http.MethodDelete, "/api/user", p.Token, fmt.Sprintf(`{"password":%q}`, password))
	b := t.signIn(t.near, p.Email, password)
	return fmt.Sprintf("DELETE /api/user: %s; signing in then: %s", a, b), b.Status == http.StatusOK
}

func emptyFile(t *trial) (string, bool) {
	err := t.start(func(dir string) error {
		return os.WriteFile(filepath.Join(dir, "cut.db"), nil, 0o600)
	}, "DATABASE_URL=cut.db", secret)
	if err != nil {
		return "the server does not start: " + lastError(t), false
	}
	return "the server starts without any account", true
}

// secret is a JWT_SECRET.
const secret = "JWT_SECRET=a secret of the entries, long enough to be taken"

func hardLink(t *trial) (string, bool) {
	if err := t.start(nil, "DATABASE_URL=first.db", secret); err != nil {
		t.note(err)
		return "", false
	}
	first := t.Server
	defer func() { _ = first.Stop() }()
	err := t.start(func(dir string) error {
		return os.Link(filepath.Join(first.Dir, "first.db"), filepath.Join(dir, "second.db"))
	}, "DATABASE_URL=second.db", secret)
	if err != nil {
		return "the second does not start: " + lastError(t), false
	}
	return "two processes have one file", true
}

func linkedFile(t *trial) (string, bool) {
	t.note(t.start(func(dir string) error {
		static := filepath.Join(dir, "static")
		if err := os.Mkdir(static, 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(filepath.Join(static, ".env"), []byte("PASSWORD=x"), 0o600); err != nil {
			return err
		}
		return os.Symlink(".env", filepath.Join(static, "env.txt"))
	}, "STATIC_DIR=static"))
	a := t.ask(http.MethodGet, "/env.txt", "", "")
	return fmt.Sprintf("GET /env.txt, a link to .env: %s", a), strings.Contains(a.Body, "PASSWORD")
}

func bareHeaders(t *trial) (string, bool) {
	t.note(t.start(func(dir string) error {
		if err := os.Mkdir(filepath.Join(dir, "static"), 0o755); err != nil {
			return err
		}
		return os.WriteFile(filepath.Join(dir, "static", "index.html"), []byte("<!doctype html>"), 0o600)
	}, "STATIC_DIR=static"))
	h := t.ask(http.MethodGet, "/", "", "").Header
	frame, referrer := h.Get("X-Frame-Options")+h.Get("Content-Security-Policy"), h.Get("Referrer-Policy")
	return fmt.Sprintf("frames: %q, Referrer-Policy: %q", frame, referrer), frame == "" || referrer == ""
}

func rebinding(t *trial) (string, bool) {
	a := t.ask(http.MethodGet, "/healthz", "", "") // the server is there
	b := t.send(t.pretending("evil.example"), http.MethodGet, "/socket.io/?EIO=4&transport=polling", "", "",
		"Origin: http://evil.example")
	return fmt.Sprintf("%s; a handshake with Host and Origin evil.example: %s", a, b), b.Status == http.StatusOK
}
