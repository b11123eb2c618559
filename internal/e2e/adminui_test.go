package e2e

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"strings"
	"testing"

	"expenseflow/internal/testneed"
)

const adminPassword = "a password of whoever runs it"

// startAdminUI serves the genuine page of the Admin UI from another origin than that of any
// server.
func startAdminUI(t *testing.T) (url string) {
	t.Helper()
	testneed.NPM(t, npmDir)
	page := filepath.Join(npmDir, "node_modules", "@socket.io", "admin-ui", "ui", "dist")
	server := httptest.NewServer(http.FileServer(http.Dir(page)))
	t.Cleanup(server.Close)
	return server.URL
}

// The official Admin UI, unmodified, shows both processes, their sockets, rooms and events, and
// disconnects a socket of the one that it is not connected to. It sees nothing of what people
// wrote, and its page reaches nothing else.
func TestTheOfficialAdminUI(t *testing.T) {
	ui := startAdminUI(t)
	w := startBrowser(t).open(t, ui, nil)
	ps := processes(t, 2, "FRONTEND_URL=https://money.example.org", "ADMIN_UI_ORIGIN="+ui, "ADMIN_PASSWORD="+adminPassword,
		"ADMIN_UI_MODE=development", "ADMIN_UI_WRITE=true")
	a := register(t, ps[0])
	n := startNode(t)
	here, there := n.connect(t, a, transports[1]), n.connectAt(t, ps[1].url(), a, transports[1])

	w.fill(t, "Server URL", ps[0].url())
	w.fill(t, "Username", "admin")
	w.fill(t, "Password", "guessed")
	w.press(t, "Connect")
	w.awaitText(t, "Invalid credentials")
	w.fill(t, "Password", adminPassword)
	w.press(t, "Connect")

	w.show(t, "/servers/", "1-2 of 2")
	w.show(t, "/sockets/", socketID(t, here), socketID(t, there))
	w.show(t, "/rooms/", "user:"+a.ID)
	w.show(t, "/clients/", "1-2 of 2")
	w.show(t, "/events/")
	a.create(t, "Lunch with secrets", "phone")
	w.awaitText(t, "expense_created")
	w.do(t, "pressBeside", map[string]any{"text": "expense_created"})
	w.awaitText(t, `"description": "(redacted)"`)
	var content string
	w.into(t, &content, "content")
	if strings.Contains(content, "Lunch") {
		t.Error("the page shows what somebody wrote")
	}

	w.show(t, "/sockets/")
	w.do(t, "pressBeside", map[string]any{"text": socketID(t, there)})
	there.await(t, "disconnect", 1)
	w.do(t, "reload", nil) // it signs in with the session id that it was given
	w.show(t, "/sockets/", socketID(t, here), "1-1 of 1")
}

// socketID returns the id of a device's first socket.
func socketID(t *testing.T, d *device) (id string) {
	t.Helper()
	if err := json.Unmarshal(d.await(t, "connect", 1).Args[0], &id); err != nil {
		t.Fatal(err)
	}
	return id
}

// show goes to a part of the Admin UI and waits until it has these texts.
func (w *window) show(t *testing.T, part string, texts ...string) {
	t.Helper()
	w.do(t, "go", map[string]any{"part": part})
	for _, text := range texts {
		w.awaitText(t, text)
	}
}
