//go:build !unix

package testneed

import (
	"crypto/x509"
	"testing"
)

// A Pebble is a private ACME authority; never made on this system.
type Pebble struct {
	Directory, CAFile string
	TLSPort, HTTPPort int
}

// NewPebble starts a Pebble; not on this system.
func NewPebble(t testing.TB) *Pebble {
	t.Helper()
	missing(t, "pebble on Unix")
	return nil
}

// Roots are the certificates by which what it issued is recognised.
func (p *Pebble) Roots(t testing.TB) *x509.CertPool {
	t.Helper()
	return nil
}
