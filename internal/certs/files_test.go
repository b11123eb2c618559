package certs

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"go.uber.org/goleak"

	"expenseflow/internal/testneed"
)

func TestMain(m *testing.M) { goleak.VerifyTestMain(m) }

// makePair makes a self-signed certificate of a name, in PEM.
func makePair(t *testing.T, name string, from, until time.Duration) content {
	t.Helper()
	private, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotBefore: time.Now().Add(from), NotAfter: time.Now().Add(until), DNSNames: []string{name},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, private.Public(), private)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := x509.MarshalPKCS8PrivateKey(private)
	if err != nil {
		t.Fatal(err)
	}
	return content{
		string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: raw})),
	}
}

const year = 365 * 24 * time.Hour

// A fixture is Files that run on two files in a folder, in a bubble of testing/synctest.
type fixture struct {
	*Files
	t         *testing.T
	log       *testneed.LogBuffer
	cert, key string
}

func newFixture(t *testing.T, first content) *fixture {
	t.Helper()
	dir := t.TempDir()
	f := &fixture{t: t, log: &testneed.LogBuffer{}, cert: filepath.Join(dir, "tls.crt"), key: filepath.Join(dir, "tls.key")}
	f.write(first)
	f.run()
	return f
}

func (f *fixture) write(c content) {
	f.t.Helper()
	for path, text := range map[string]string{f.cert: c.cert, f.key: c.key} {
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			f.t.Fatal(err)
		}
	}
}

// run opens the files and runs until the test ends.
func (f *fixture) run() {
	f.t.Helper()
	files, err := OpenFiles(f.cert, f.key, slog.New(slog.NewTextHandler(f.log, nil)))
	if err != nil {
		f.t.Fatal(err)
	}
	f.Files = files
	go func() { _ = files.Run(f.t.Context()) }()
	synctest.Wait()
}

// polls lets the files be read so many times.
func (f *fixture) polls(n int) {
	time.Sleep(time.Duration(n)*pollInterval + time.Millisecond)
	synctest.Wait()
}

// serves checks what a handshake gets.
func (f *fixture) serves(name string) {
	f.t.Helper()
	cert, err := f.Config().GetCertificate(&tls.ClientHelloInfo{})
	if err != nil || cert.Leaf.DNSNames[0] != name {
		f.t.Errorf("serves %v, %v, want that of %s", cert.Leaf.DNSNames, err, name)
	}
}

// logged checks how many lines have all texts.
func (f *fixture) logged(want int, texts ...string) {
	f.t.Helper()
	n := 0
	for line := range strings.Lines(f.log.String()) {
		all := true
		for _, text := range texts {
			all = all && strings.Contains(line, text)
		}
		if all {
			n++
		}
	}
	if n != want {
		f.t.Errorf("%d lines with %q, want %d:\n%s", n, texts, want, f.log)
	}
}

func TestFilesThatChangeAreServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, makePair(t, "old.example", 0, year))
		f.polls(2)
		f.serves("old.example")
		f.write(makePair(t, "new.example", 0, year))
		f.polls(1)
		f.serves("new.example")
		f.logged(1, "a new certificate is served", "new.example")
		if own := f.Own(); len(own) != 2 || own[1].Leaf.DNSNames[0] != "old.example" {
			t.Errorf("%d certificates of this server", len(own))
		}
		f.logged(0, "level=WARN")
	})
}

// A certificate that does not fit its key leaves the old one, said once.
func TestHalfAPairIsNotServed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, makePair(t, "old.example", 0, year))
		whole := makePair(t, "new.example", 0, year)
		write := func(path, text string) {
			if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		write(f.cert, whole.cert)
		f.polls(1)
		f.serves("old.example")
		f.logged(0, "level=WARN") // the key may be on its way
		f.polls(20)
		f.serves("old.example")
		f.logged(1, "level=WARN", "the old one stays", "TLS_KEY_FILE")
		write(f.key, "no key")
		f.polls(20)
		f.logged(2, "level=WARN", "the old one stays")
		write(f.key, whole.key)
		f.polls(1)
		f.serves("new.example")
		f.logged(2, "level=WARN")
	})
}

// Kubernetes puts a new folder beside the old one and swaps the link that leads to it.
func TestALinkThatIsSwappedIsFollowed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		link := func(name string, c content) {
			f := &fixture{t: t, cert: filepath.Join(dir, name, "tls.crt"), key: filepath.Join(dir, name, "tls.key")}
			if err := os.Mkdir(filepath.Join(dir, name), 0o700); err != nil {
				t.Fatal(err)
			}
			f.write(c)
			if err := os.Symlink(name, filepath.Join(dir, "..tmp")); err != nil {
				t.Fatal(err)
			}
			if err := os.Rename(filepath.Join(dir, "..tmp"), filepath.Join(dir, "..data")); err != nil {
				t.Fatal(err)
			}
		}
		link("..1", makePair(t, "old.example", 0, year))
		f := &fixture{t: t, log: &testneed.LogBuffer{}, cert: filepath.Join(dir, "tls.crt"), key: filepath.Join(dir, "tls.key")}
		for _, path := range []string{f.cert, f.key} {
			if err := os.Symlink(filepath.Join("..data", filepath.Base(path)), path); err != nil {
				t.Fatal(err)
			}
		}
		f.run()
		link("..2", makePair(t, "new.example", 0, year))
		f.polls(1)
		f.serves("new.example")
		f.logged(0, "level=WARN")
	})
}

func TestFilesThatAreAwayAreSaidOnceAndWhenTheyAreBack(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		first := makePair(t, "old.example", 0, year)
		f := newFixture(t, first)
		if err := os.Remove(f.cert); err != nil {
			t.Fatal(err)
		}
		f.polls(1)
		f.logged(0, "level=WARN") // it may be on its way
		f.polls(10)
		f.serves("old.example")
		f.logged(1, "level=WARN", "no such file")
		f.write(first)
		f.polls(10)
		f.logged(1, "are again what is served")
		f.logged(1, "level=WARN")
	})
}

func TestACertificateThatEndedReplacesNoneThatIsValid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, makePair(t, "old.example", 0, year))
		f.write(makePair(t, "ended.example", -year, -time.Hour))
		f.polls(3)
		f.serves("old.example")
		f.logged(1, "level=WARN", "the certificate of ended.example ended at")
	})
}

// What is late for its renewal is accepted by browsers, and what has ended is not.
func TestACertificateThatEndedReplacesNoneThatIsLate(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, makePair(t, "late.example", 0, 30*time.Hour))
		time.Sleep(26 * time.Hour)
		f.write(makePair(t, "ended.example", -year, -time.Hour))
		f.polls(3)
		f.serves("late.example")
	})
}

// A certificate that nobody renewed is said once when it is late, and once when it has ended.
func TestACertificateThatIsNotRenewedIsSaid(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		f := newFixture(t, makePair(t, "late.example", 0, 30*time.Hour))
		f.logged(0, "level=WARN")
		if err := f.Check(t.Context()); err != nil {
			t.Error(err)
		}
		time.Sleep(26 * time.Hour) // a sixth of 30 hours is left
		synctest.Wait()
		f.logged(1, "level=WARN", "late.example ends at", "was not renewed")
		time.Sleep(10 * time.Hour)
		synctest.Wait()
		f.logged(1, "level=WARN", "late.example ended at")
		f.logged(2, "level=WARN")
		if err := f.Check(t.Context()); err == nil {
			t.Error("the check passes")
		}
		f.write(makePair(t, "new.example", 0, year))
		f.polls(2)
		f.serves("new.example")
		if err := f.Check(t.Context()); err != nil {
			t.Error(err)
		}
	})
}
