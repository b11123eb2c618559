package engineio_test

import (
	"fmt"
	"net/http"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"expenseflow/internal/engineio"
)

func TestUpgrade(t *testing.T) {
	h := open(t, engineio.Config{}, echoing)
	query, p := h.poll()
	held := h.held(query)
	c := h.probe(query)
	if got := receive(t, held, "the held poll"); got.Body != "6" {
		t.Errorf("held poll: %+v, want a NOOP", got)
	}
	for range 3 { // every poll, not only the first
		if got := h.get(query); got != "6" {
			t.Errorf("poll during the upgrade: %q", got)
		}
	}
	c.write("5")
	c.write("4hello")
	if got := c.read(); got != "4hello" {
		t.Errorf("after the upgrade: %q", got)
	}
	if p.Transport() != engineio.WebSocket || h.server.Stats().Upgraded != 1 || h.server.Stats().Polling != 0 {
		t.Errorf("transport %s, stats %+v", p.Transport(), h.server.Stats())
	}
	for _, method := range []string{"GET", "POST"} {
		if got := h.do(method, query, ""); got.Status != 400 || got.Body != `{"code":3,"message":"Bad request"}` {
			t.Errorf("%s over polling: %d %q", method, got.Status, got.Body)
		}
	}
}

func TestPollThatCrossesTheUpgradeIsRefused(t *testing.T) {
	h := open(t, engineio.Config{}, echoing)
	for range 20 {
		query, _ := h.poll()
		c := h.probe(query)
		c.write("5")
		if got := h.do("GET", query, ""); got.Status != http.StatusBadRequest {
			t.Errorf("crossing poll: %d %q", got.Status, got.Body)
		}
		c.write("4alive")
		if got := c.read(); got != "4alive" {
			t.Errorf("got %q", got)
		}
	}
}

func TestOnlyOneUpgrade(t *testing.T) {
	h := open(t, engineio.Config{}, echoing)
	query, p := h.poll()
	c := h.probe(query)
	if code := h.dial(webSocketOf(query)).code(); code != 1000 {
		t.Errorf("second probe closed with %d", code)
	}
	c.write("5")
	h.eventually("upgraded", func() bool { return p.Transport() == engineio.WebSocket })
	if code := h.dial(webSocketOf(query)).code(); code != 1000 {
		t.Errorf("upgrade after the upgrade closed with %d", code)
	}
	c.write("4hello")
	if got := c.read(); got != "4hello" {
		t.Errorf("got %q", got)
	}
}

func TestUpgradesCanBeForbidden(t *testing.T) {
	h := open(t, engineio.Config{NoUpgrades: true}, echoing)
	query, _ := h.poll()
	h.dial(webSocketOf(query)).code()
	h.post(query, "4hello")
	if got := h.get(query); got != "4hello" {
		t.Errorf("polling goes on with %q", got)
	}
}

func TestFailedUpgradeLeavesPollingAlone(t *testing.T) {
	for _, text := range []string{"4too early", "3", "2", "2prob", "1", "zzz", ""} {
		t.Run(fmt.Sprintf("%q", text), func(t *testing.T) {
			h := open(t, engineio.Config{}, echoing)
			query, p := h.poll()
			c := h.dial(webSocketOf(query))
			c.write(text)
			if code := c.code(); code != 1000 {
				t.Errorf("closed with %d", code)
			}
			h.post(query, "4hello")
			if got := h.get(query); got != "4hello" || len(p.messages) > 0 {
				t.Errorf("polling: %q", got)
			}
			c = h.upgrade(query, p) // and may be tried again
			c.write("4again")
			if got := c.read(); got != "4again" {
				t.Errorf("got %q", got)
			}
		})
	}
}

func TestHalfOpenUpgradeIsGivenUp(t *testing.T) {
	for _, probed := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			h := openWithoutNetwork(t, engineio.Config{UpgradeTimeout: 2 * time.Second}, echoing)
			query, _ := h.poll()
			c := h.dial(webSocketOf(query))
			if probed {
				c.write("2probe")
				c.read()
			}
			start := time.Now()
			c.code()
			if d := time.Since(start); d != 2*time.Second {
				t.Errorf("given up after %v", d)
			}
			h.post(query, "4hello")
			if got := h.get(query); got != "4hello" {
				t.Errorf("polling: %q", got)
			}
		})
	}
}

func TestCloseDuringTheUpgrade(t *testing.T) {
	h := open(t, engineio.Config{})
	query, p := h.poll()
	c := h.probe(query)
	p.Close(engineio.ReasonForced)
	if got := h.get(query); got != "1" {
		t.Errorf("poll: %q", got)
	}
	c.code()
	p.mustClose(t, engineio.ReasonForced, nil)
}

func TestCloseBeforeTheUpgradeIsCompleted(t *testing.T) {
	h := open(t, engineio.Config{})
	query, p := h.poll()
	c := h.probe(query)
	p.send("last words")
	p.Close(engineio.ReasonForced)
	c.write("5")
	if got := c.read(); got != "4last words" {
		t.Errorf("got %q", got)
	}
	if code := c.code(); code != 1000 {
		t.Errorf("closed with %d", code)
	}
	p.mustClose(t, engineio.ReasonForced, nil)
}

// Whatever is sent while a client changes transports arrives once and in order,
// in both directions.
func TestNothingIsLostInAnUpgrade(t *testing.T) {
	const sessions, messages = 20, 200
	h := open(t, engineio.Config{})
	var all sync.WaitGroup
	for range sessions {
		query, p := h.poll()
		all.Go(func() {
			for i := range messages {
				p.send(fmt.Sprint(i))
			}
		})
		all.Go(func() { h.upgradeWhileReading(query, messages) })
	}
	all.Wait()
}

// upgradeWhileReading polls twice, upgrades as clients do, and expects numbers.
func (h *testServer) upgradeWhileReading(query string, messages int) {
	next := 0
	expect := func(body string) {
		for packet := range strings.SplitSeq(body, "\x1e") {
			if packet == "6" {
				continue
			}
			if want := fmt.Sprint("4", next); packet != want {
				h.t.Errorf("got %q, want %q", packet, want)
			}
			next++
		}
	}
	expect(h.get(query))
	c := h.dial(webSocketOf(query))
	c.write("2probe")
	if got := c.read(); got != "3probe" {
		h.t.Errorf("probe: %q", got)
	}
	expect(h.get(query))
	c.write("5")
	for next < messages {
		expect(c.read())
	}
}
