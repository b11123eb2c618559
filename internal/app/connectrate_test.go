package app

import (
	"testing"
	"time"

	"expenseflow/internal/config"
)

func TestSocketsAreOpenedAtABoundedRate(t *testing.T) {
	c := newConnectRate(config.Rate{N: 100, Per: 2 * time.Second})
	now := time.Now()
	opened := func(network string, n int) (ok int, wait time.Duration) {
		for range n {
			if d := c.take(network, now); d == 0 {
				ok++
			} else {
				wait = d
			}
		}
		return ok, wait
	}
	if ok, wait := opened("203.0.113.1", 200); ok != 50 || wait != 2*time.Second {
		t.Errorf("one network opened %d, and is to wait %v", ok, wait)
	}
	if ok, _ := opened("203.0.113.2", 200); ok != 33 {
		t.Errorf("the next one opened %d", ok)
	}
	now = now.Add(1500 * time.Millisecond)
	if ok, wait := opened("203.0.113.1", 1); ok != 0 || wait != time.Second {
		t.Errorf("a moment later %d, and is to wait %v", ok, wait)
	}
	now = now.Add(500 * time.Millisecond)
	if ok, _ := opened("203.0.113.1", 10); ok != 10 {
		t.Errorf("after two seconds %d", ok)
	}
	if d := newConnectRate(config.Rate{}).take("203.0.113.1", now); d != 0 {
		t.Errorf("without a rate one is to wait %v", d)
	}
}

func TestAHandshakeOverTheRateIsRefused(t *testing.T) {
	r := start(t, "CONNECT_RATE=2/1h")
	token := r.register("alice@example.org")
	s := r.listen(token)
	a := r.call("GET", "/socket.io/?EIO=4&transport=polling", "", "", "Origin", "https://page.example")
	if a.code != 503 || a.header.Get("Retry-After") == "" || a.header.Get("Access-Control-Allow-Origin") != "*" {
		t.Errorf("%d %v %s", a.code, a.header, a.body)
	}
	id := r.expense(token)
	if got := s.next(); got == "" || id == "" {
		t.Error("an open socket hears nothing")
	}
}
