package certs

import (
	"context"
	"crypto/tls"
	"fmt"
	"log/slog"
	"os"
	"sync/atomic"
	"time"
)

// pollInterval is how often the files are read: they are small, and their times tell nothing
// certain where links are swapped.
const pollInterval = 3 * time.Second

// Files is a certificate chain and its key in two PEM files, which are read again as they
// change, however they are replaced: written over, renamed, or by a link to another folder.
type Files struct {
	certFile, keyFile string
	log               *slog.Logger

	now atomic.Pointer[pair]

	// Of Run.
	failed  *content // what was read last and could not be used; nil if the last could
	trouble troubleLog
	aging   troubleLog
}

// A pair is what is served, and what was before.
type pair struct {
	content
	cert, before *tls.Certificate
}

// A content is that of both files.
type content struct{ cert, key string }

// OpenFiles reads the files for the first time.
func OpenFiles(certFile, keyFile string, log *slog.Logger) (*Files, error) {
	f := &Files{
		certFile: certFile, keyFile: keyFile, log: log,
		trouble: troubleLog{log: log}, aging: troubleLog{log: log},
	}
	c, err := f.read()
	if err != nil {
		return nil, err
	}
	cert, err := parse(c)
	if err != nil {
		return nil, err
	}
	f.now.Store(&pair{content: c, cert: cert})
	return f, nil
}

func (f *Files) read() (content, error) {
	cert, err := os.ReadFile(f.certFile)
	if err != nil {
		return content{}, err
	}
	key, err := os.ReadFile(f.keyFile)
	return content{string(cert), string(key)}, err
}

func parse(c content) (*tls.Certificate, error) {
	cert, err := tls.X509KeyPair([]byte(c.cert), []byte(c.key))
	return &cert, err
}

// Config implements Source.
func (f *Files) Config() *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12,
		GetCertificate: func(*tls.ClientHelloInfo) (*tls.Certificate, error) {
			return f.now.Load().cert, nil
		},
	}
}

// Run implements Source.
func (f *Files) Run(ctx context.Context) error {
	for {
		f.checkAge(ctx)
		if !sleep(ctx, pollInterval) {
			return nil
		}
		f.poll(ctx)
	}
}

// poll reads the files and serves what is new. Trouble counts when two polls find the same: a
// file may be read while it is being written, or between the writing of the two.
func (f *Files) poll(ctx context.Context) {
	was := f.now.Load()
	c, err := f.read()
	if err == nil && c == was.content {
		f.failed = nil
		if f.trouble.over() {
			f.log.InfoContext(ctx, "the files of the certificate are again what is served", served(was.cert)...)
		}
		return
	}
	var cert *tls.Certificate
	if err == nil {
		cert, err = f.replacement(was.cert, c)
	}
	switch {
	case err == nil:
		f.failed = nil
		f.trouble.over()
		f.now.Store(&pair{content: c, cert: cert, before: was.cert})
		f.log.InfoContext(ctx, "a new certificate is served", served(cert)...)
	case f.failed != nil && c == *f.failed:
		f.trouble.note(ctx, "content"+c.cert+c.key, fmt.Errorf("the new certificate cannot be used, and the old one stays: %w", err),
			"put a certificate and its own key into TLS_CERT_FILE and TLS_KEY_FILE")
	default:
		f.failed = &c
	}
}

// replacement returns the certificate of c. One that is not valid now replaces none that is.
func (f *Files) replacement(was *tls.Certificate, c content) (*tls.Certificate, error) {
	cert, err := parse(c)
	if err != nil {
		return nil, err
	}
	if now := time.Now(); !valid(cert, now) && valid(was, now) {
		return nil, overdue(cert, now)
	}
	return cert, nil
}

// valid reports whether a certificate is valid now, even if it should have been replaced.
func valid(c *tls.Certificate, now time.Time) bool {
	return !now.Before(c.Leaf.NotBefore) && !now.After(c.Leaf.NotAfter)
}

// checkAge logs when the certificate should have been replaced.
func (f *Files) checkAge(ctx context.Context) {
	if err := f.Check(ctx); err != nil {
		f.aging.note(ctx, err.Error(), err, "replace TLS_CERT_FILE and TLS_KEY_FILE, which are read as they change")
	} else {
		f.aging.over()
	}
}

// Check implements Source.
func (f *Files) Check(context.Context) error { return overdue(f.now.Load().cert, time.Now()) }

// Expires implements Source.
func (f *Files) Expires() time.Time { return f.now.Load().cert.Leaf.NotAfter }

// Own implements Source.
func (f *Files) Own() []*tls.Certificate {
	now := f.now.Load()
	if now.before == nil {
		return []*tls.Certificate{now.cert}
	}
	return []*tls.Certificate{now.cert, now.before}
}
