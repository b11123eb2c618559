// Package certs has the certificates of the server's TLS listener: from files (Files), or from
// an ACME authority such as Let's Encrypt (ACME).
//
// What it promises:
//
//   - A handshake never waits for a file or for the authority.
//   - A certificate is served only with its own key. What does not fit, or cannot be read,
//     leaves the one before in place, and is logged once.
//   - A certificate that replaces another is served to the next handshake; connections that are
//     open go on.
//   - Trouble is logged once when it begins, with what to do, and once when it is over: an
//     authority that cannot be reached, a certificate that nobody renewed.
package certs

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"strings"
	"time"
)

// A Source has the certificates of one listener. Its methods may be called concurrently; Run is
// called once.
type Source interface {
	// Config returns the configuration of the listener. It is called once.
	Config() *tls.Config

	// Run keeps the certificates new until ctx ends.
	Run(ctx context.Context) error

	// Check returns an error if browsers do not accept what is served, or soon will not.
	Check(ctx context.Context) error

	// Expires returns when the first of the certificates that are served ends; zero if none
	// is there yet.
	Expires() time.Time

	// Own returns the certificates by which other servers of the same site recognise this
	// one: what is served now, and what was before.
	Own() []*tls.Certificate
}

const (
	// renewedBefore is how long before its end a certificate should have been replaced, if
	// it lives for long: those that do it, do it a month before.
	renewedBefore = 7 * 24 * time.Hour
	// renewedPart is that time as a part of a shorter life.
	renewedPart = 6
)

// overdue returns why a certificate should have been replaced by now; nil if it need not.
func overdue(c *tls.Certificate, now time.Time) error {
	leaf := c.Leaf
	before := min(renewedBefore, leaf.NotAfter.Sub(leaf.NotBefore)/renewedPart)
	end := leaf.NotAfter.UTC().Format(time.RFC3339)
	switch {
	case now.Before(leaf.NotBefore):
		return fmt.Errorf("the certificate of %s is valid from %s on", names(c), leaf.NotBefore.UTC().Format(time.RFC3339))
	case now.After(leaf.NotAfter):
		return fmt.Errorf("the certificate of %s ended at %s", names(c), end)
	case now.Add(before).After(leaf.NotAfter):
		return fmt.Errorf("the certificate of %s ends at %s and was not renewed", names(c), end)
	}
	return nil
}

// names returns whom a certificate is of.
func names(c *tls.Certificate) string {
	all := append([]string(nil), c.Leaf.DNSNames...)
	for _, ip := range c.Leaf.IPAddresses {
		all = append(all, ip.String())
	}
	if len(all) == 0 {
		return "no host"
	}
	return strings.Join(all, ", ")
}

// served are the attributes of a log line about a certificate.
func served(c *tls.Certificate) []any {
	return []any{slog.String("names", names(c)), slog.Time("until", c.Leaf.NotAfter.UTC())}
}

// A troubleLog logs trouble once when it begins. It belongs to one goroutine.
type troubleLog struct {
	log  *slog.Logger
	last string // the kind that was logged; "" if there is none
}

// note logs err unless trouble of the same kind was the last that was logged. advice says what
// to do.
func (t *troubleLog) note(ctx context.Context, kind string, err error, advice string) {
	if kind != t.last {
		t.last = kind
		t.log.WarnContext(ctx, err.Error()+": "+advice)
	}
}

// over ends the trouble, and reports whether there was any.
func (t *troubleLog) over() bool {
	was := t.last != ""
	t.last = ""
	return was
}

// sleep waits for d and reports whether ctx still lives.
func sleep(ctx context.Context, d time.Duration) bool {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return true
	case <-ctx.Done():
		return false
	}
}
