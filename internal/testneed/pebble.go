//go:build unix

package testneed

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"
	"time"
)

// A Pebble is a private ACME authority. It takes every name for one of this machine, keeps
// nothing, and ends with the test.
type Pebble struct {
	Directory string // URL of its directory
	CAFile    string // certificate by which it is recognised, in PEM

	// TLSPort and HTTPPort are where it looks for the answers to challenges, instead of 443
	// and 80. They were free a moment ago.
	TLSPort, HTTPPort int

	manage string // URL of its management
	client *http.Client
}

// guardedPebble runs the authority and its name server beside a shell that waits for its input
// to end. That happens when this process closes it or dies, even of kill -9.
const guardedPebble = `PEBBLE_VA_NOSLEEP=1 PEBBLE_WFE_NONCEREJECT=0 "$1" -config "$2/config.json" -dnsserver "127.0.0.1:$4" >"$2/log" 2>&1 &
authority=$!
"$3" -dns01 "127.0.0.1:$4" -defaultIPv6 "" -http01 "" -https01 "" -tlsalpn01 "" -management "127.0.0.1:$5" >"$2/names" 2>&1 &
read -r keep
kill -KILL $authority $!
wait
rm -rf "$2"`

// NewPebble starts a Pebble of this test's own.
func NewPebble(t testing.TB) *Pebble {
	t.Helper()
	bin := pebble.require(t)
	p := &Pebble{}
	if err := p.start(t, bin); err != nil {
		t.Fatalf("start pebble: %v", err)
	}
	return p
}

func (p *Pebble) start(t testing.TB, bin string) error {
	dir, err := os.MkdirTemp("", "expenseflow-pebble-")
	if err != nil {
		return err
	}
	var ports [4]int
	for i, port := range []*int{&p.TLSPort, &p.HTTPPort, &ports[0], &ports[1], &ports[2], &ports[3]} {
		if *port, err = freePort(); err != nil {
			return fmt.Errorf("port %d: %w", i, err)
		}
	}
	if err := p.configure(dir, ports[0], ports[1]); err != nil {
		return err
	}
	cmd := exec.Command("/bin/sh", "-c", guardedPebble, "sh", bin, dir, bin+"-challtestsrv",
		fmt.Sprint(ports[2]), fmt.Sprint(ports[3]))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // out of reach of Ctrl-C
	guard, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	t.Cleanup(func() {
		guard.Close()
		_ = cmd.Wait() // its exit code tells nothing
		p.client.CloseIdleConnections()
	})
	return awaitAnswer(time.Now().Add(30*time.Second), filepath.Join(dir, "log"), func() error {
		_, err := p.get(p.Directory)
		return err
	})
}

// configure writes the configuration and a certificate for the authority itself.
func (p *Pebble) configure(dir string, port, management int) error {
	cert, key, err := writeCertificate(dir)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(cert)
	if err != nil {
		return err
	}
	roots := x509.NewCertPool()
	roots.AppendCertsFromPEM(text)
	p.CAFile = cert
	p.Directory, p.manage = fmt.Sprintf("https://127.0.0.1:%d/dir", port), fmt.Sprintf("https://127.0.0.1:%d", management)
	p.client = &http.Client{Timeout: 10 * time.Second, Transport: &http.Transport{TLSClientConfig: &tls.Config{RootCAs: roots}}}
	config := fmt.Sprintf(`{"pebble": {"listenAddress": "127.0.0.1:%d", "managementListenAddress": "127.0.0.1:%d",
		"certificate": %q, "privateKey": %q, "httpPort": %d, "tlsPort": %d}}`, port, management, cert, key, p.HTTPPort, p.TLSPort)
	return os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o600)
}

func (p *Pebble) get(url string) ([]byte, error) {
	res, err := p.client.Get(url)
	if err != nil {
		return nil, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return nil, errors.New(res.Status)
	}
	return io.ReadAll(res.Body)
}

// Roots are the certificates by which what it issued is recognised.
func (p *Pebble) Roots(t testing.TB) *x509.CertPool {
	t.Helper()
	text, err := p.get(p.manage + "/roots/0")
	roots := x509.NewCertPool()
	if err != nil || !roots.AppendCertsFromPEM(text) {
		t.Fatalf("the authority's root: %v, %s", err, text)
	}
	return roots
}
