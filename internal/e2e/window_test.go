package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"os/exec"
	"sync"
	"testing"

	"expenseflow/internal/testneed"
)

// A browser is a headless Chromium behind npm/browser.js.
type browser struct{ *node }

// startBrowser returns the browser, which all tests share, for each window has a profile of
// its own. It skips t where Chromium, Node or the npm packages are missing.
func startBrowser(t *testing.T) *browser {
	t.Helper()
	executable := testneed.Chromium(t)
	path := testneed.Node(t)
	testneed.NPM(t, npmDir)
	sharedBrowser.Lock()
	defer sharedBrowser.Unlock()
	if sharedBrowser.node != nil && sharedBrowser.isUp() {
		return &browser{sharedBrowser.node}
	}
	cmd := exec.Command(path, "browser.js")
	cmd.Dir = npmDir
	sharedBrowser.node = newNode(cmd)
	if err := sharedBrowser.start(); err != nil {
		t.Fatal(err)
	}
	b := &browser{sharedBrowser.node}
	b.do(t, map[string]any{"do": "launch", "executable": executable})
	return b
}

var sharedBrowser struct {
	sync.Mutex
	*node
}

func stopBrowser() error {
	if sharedBrowser.node == nil {
		return nil
	}
	return sharedBrowser.finish()
}

// A window shows the page. What it did wrong by the end of the test, be it an
// exception or a breach of its policy, fails the test.
type window struct {
	browser *browser
	name    string
}

// look are the settings of a window's browser profile; see Playwright's
// newContext. nil is an ordinary desktop.
type look map[string]any

// open returns a window with a browser profile of its own, as another device has.
func (b *browser) open(t *testing.T, url string, l look) *window {
	t.Helper()
	return b.window(t, map[string]any{"url": url, "options": l})
}

// tab returns another window of w's browser profile.
func (w *window) tab(t *testing.T, url string) *window {
	t.Helper()
	return w.browser.window(t, map[string]any{"url": url, "profile": w.name})
}

func (b *browser) window(t *testing.T, command map[string]any) *window {
	t.Helper()
	w := &window{b, b.device(t).name}
	w.do(t, "open", command)
	t.Cleanup(func() {
		var faults []string
		w.into(t, &faults, "faults")
		for _, fault := range faults {
			t.Errorf("the page did wrong: %s", fault)
		}
		w.do(t, "close", nil)
	})
	return w
}

func (w *window) do(t *testing.T, what string, command map[string]any) json.RawMessage {
	t.Helper()
	if command == nil {
		command = make(map[string]any)
	}
	command["do"], command["device"] = what, w.name
	return w.browser.do(t, command)
}

func (w *window) into(t *testing.T, v any, what string) {
	t.Helper()
	if err := json.Unmarshal(w.do(t, what, nil), v); err != nil {
		t.Fatal(err)
	}
}

func (w *window) fill(t *testing.T, label, value string) {
	t.Helper()
	w.do(t, "fill", map[string]any{"label": label, "value": value})
}

func (w *window) choose(t *testing.T, label, value string) {
	t.Helper()
	w.do(t, "choose", map[string]any{"label": label, "value": value})
}

// press presses a button, by the name that is read out.
func (w *window) press(t *testing.T, name string) {
	t.Helper()
	w.do(t, "press", map[string]any{"name": name})
}

// follow takes a link, by the beginning of its name.
func (w *window) follow(t *testing.T, name string) {
	t.Helper()
	w.do(t, "follow", map[string]any{"name": name})
}

// keys presses keys, one after the other.
func (w *window) keys(t *testing.T, names ...string) {
	t.Helper()
	for _, name := range names {
		w.do(t, "key", map[string]any{"key": name})
	}
}

// types writes text where the focus is.
func (w *window) types(t *testing.T, text string) {
	t.Helper()
	w.do(t, "type", map[string]any{"text": text})
}

// tabTo presses Tab until the focus is on what is called name.
func (w *window) tabTo(t *testing.T, name string) {
	t.Helper()
	var seen []string
	for range 60 {
		w.keys(t, "Tab")
		seen = append(seen, w.focused(t))
		if seen[len(seen)-1] == name {
			return
		}
	}
	t.Fatalf("Tab never comes to %q, but to %q", name, seen)
}

// focused returns the name of what has the focus, "" if nothing has.
func (w *window) focused(t *testing.T) string {
	t.Helper()
	var name string
	w.into(t, &name, "focused")
	return name
}

// stored returns everything that the page keeps in this browser.
func (w *window) stored(t *testing.T) string {
	t.Helper()
	var text string
	w.into(t, &text, "stored")
	return text
}

// offline cuts the whole browser profile from the network, or connects it.
func (w *window) offline(t *testing.T, away bool) {
	t.Helper()
	w.do(t, "offline", map[string]any{"offline": away})
}

// awaitRows waits until the list is exactly want, newest first: "Lunch −12.50",
// with " [Waiting]" and the like behind it while the server has not answered.
func (w *window) awaitRows(t *testing.T, want ...string) {
	t.Helper()
	if want == nil {
		want = []string{}
	}
	w.do(t, "awaitRows", map[string]any{"want": want})
}

// awaitParts waits until the parts of the page that a CSS selector finds, and that
// can be seen, have exactly these texts.
func (w *window) awaitParts(t *testing.T, selector string, want ...string) {
	t.Helper()
	if want == nil {
		want = []string{}
	}
	w.do(t, "awaitParts", map[string]any{"part": selector, "want": want})
}

// awaitButton waits until there is a button of this name.
func (w *window) awaitButton(t *testing.T, name string) {
	t.Helper()
	w.do(t, "awaitButton", map[string]any{"name": name})
}

// awaitStatus waits until the page says how it is connected: "Live".
func (w *window) awaitStatus(t *testing.T, text string) {
	t.Helper()
	w.do(t, "awaitStatus", map[string]any{"text": text})
}

func (w *window) awaitText(t *testing.T, text string) {
	t.Helper()
	w.do(t, "awaitText", map[string]any{"text": text})
}

// checkAccess fails the test for each rule of accessibility that is broken now.
func (w *window) checkAccess(t *testing.T, state string) {
	t.Helper()
	var violations []string
	w.into(t, &violations, "axe")
	for _, v := range violations {
		t.Errorf("%s: %s", state, v)
	}
}

// A person is who a page is used by.
type person struct{ name, email, password string }

func newPerson() person {
	n := accountsMade.Add(1)
	return person{fmt.Sprintf("Person %d", n), fmt.Sprintf("person%d@example.test", n), fmt.Sprintf("long enough %d", n)}
}

// account returns the person's account as the API sees it, with its own token.
func (who person) account(t *testing.T, p *program) *account {
	t.Helper()
	a := &account{p: p, Name: who.name, Email: who.email, Password: who.password}
	a.signIn(t, "/api/auth/login", map[string]any{"email": who.email, "password": who.password}, http.StatusOK)
	return a
}

func (w *window) register(t *testing.T, who person) {
	t.Helper()
	w.registerWith(t, who, func() {
		w.choose(t, "Home currency", "Choose later") // amounts are shown without one
	})
}

// registerWith has more filled in than every page asks for.
func (w *window) registerWith(t *testing.T, who person, more func()) {
	t.Helper()
	w.press(t, "Create an account")
	w.fill(t, "Name", who.name)
	more()
	w.enter(t, who, "Create account")
}

func (w *window) signIn(t *testing.T, who person) {
	t.Helper()
	w.enter(t, who, "Sign in")
}

func (w *window) enter(t *testing.T, who person, button string) {
	t.Helper()
	w.fill(t, "E-mail", who.email)
	w.fill(t, "Password", who.password)
	w.press(t, button)
	w.awaitStatus(t, "Live")
}

// add fills in the form beside the list.
func (w *window) add(t *testing.T, description, amount string) {
	t.Helper()
	w.fill(t, "Amount", amount)
	w.fill(t, "Description", description)
	w.press(t, "Add")
}

// edit changes one field of an entry in the dialog.
func (w *window) edit(t *testing.T, description, label, value string) {
	t.Helper()
	w.press(t, "Edit "+description)
	w.fill(t, label, value)
	w.press(t, "Save")
}
