package e2e

import (
	"bufio"
	"os"
	"os/exec"
	"regexp"
	"strings"
	"testing"
)

// startDemo runs `expenseflow demo` and returns the address of its page.
func startDemo(t *testing.T) (url string) {
	t.Helper()
	file, err := binary()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(file, "demo")
	cmd.Dir, cmd.Stderr = t.TempDir(), t.Output()
	dieWithParent(cmd)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := cmd.Process.Signal(os.Interrupt); err != nil {
			t.Error(err)
		}
		if err := cmd.Wait(); err != nil {
			t.Errorf("the demo ended with %v", err)
		}
	})
	address := regexp.MustCompile(`http://\S+/demo`)
	for lines := bufio.NewScanner(out); lines.Scan(); {
		if found := address.FindString(lines.Text()); found != "" {
			url = found
		}
		if strings.Contains(lines.Text(), "Ctrl-C") {
			return url
		}
	}
	t.Fatal("the demo did not start")
	return ""
}

// frame returns one of the frames that w shows, by its place from 1.
func (w *window) frame(t *testing.T, place int) *window {
	t.Helper()
	f := &window{w.browser, w.browser.device(t).name}
	f.do(t, "frame", map[string]any{"of": w.name, "place": place})
	return f
}

// addIn fills in the form of a frame of w, whatever currency the label of its amount names.
func (w *window) addIn(t *testing.T, frame *window, description, amount string) {
	t.Helper()
	frame.do(t, "tap", map[string]any{"part": ".expense-form input[inputmode=decimal]"})
	w.types(t, amount)
	frame.fill(t, "Description", description)
	frame.press(t, "Add")
}

// What is added on the laptop of the demo is on its phone, and the other way round after the
// phone was offline. Then the diagnostics find nothing that differs.
func TestDemoShowsOneAccountOnTwoDevices(t *testing.T) {
	page := startBrowser(t).open(t, startDemo(t), look{"viewport": map[string]int{"width": 1440, "height": 900}})
	laptop, phone := page.frame(t, 1), page.frame(t, 2)
	phone.awaitStatus(t, "Live")
	laptop.awaitStatus(t, "Live")
	page.checkAccess(t, "the demo")

	page.addIn(t, laptop, "Lunch with Cleo", "18.50")
	phone.awaitText(t, "Lunch with Cleo")
	page.press(t, "Take offline")
	page.awaitButton(t, "Bring back online")
	phone.press(t, "Add entry")
	page.addIn(t, phone, "Ice cream", "4.20")
	phone.awaitStatus(t, "Offline · 1 waiting")
	page.press(t, "Bring back online")
	laptop.awaitText(t, "Ice cream")
	phone.awaitStatus(t, "Live")

	laptop.press(t, "Menu")
	laptop.press(t, "Diagnostics")
	laptop.awaitText(t, "WebSocket since")
	laptop.awaitText(t, "expense_created")
	laptop.press(t, "Compare now")
	laptop.awaitText(t, "Equal: ")
	laptop.checkAccess(t, "diagnostics")
}
