package cluster

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"math/big"
	"testing"
	"time"
)

// An issuer issues certificates.
type issuer struct {
	t    *testing.T
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newIssuer(t *testing.T) *issuer {
	i := &issuer{t: t, key: newKey(t)}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour), IsCA: true, BasicConstraintsValid: true,
		KeyUsage: x509.KeyUsageCertSign,
	}
	i.cert = i.sign(template, template, i.key)
	return i
}

func newKey(t *testing.T) *ecdsa.PrivateKey {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func (i *issuer) sign(template, parent *x509.Certificate, key *ecdsa.PrivateKey) *x509.Certificate {
	i.t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), i.key)
	if err != nil {
		i.t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		i.t.Fatal(err)
	}
	return cert
}

// issue issues a certificate of a name, with the issuer's in its chain.
func (i *issuer) issue(name string, until time.Duration) *tls.Certificate {
	leaf := i.sign(&x509.Certificate{
		SerialNumber: big.NewInt(time.Now().UnixNano()), NotAfter: time.Now().Add(until), DNSNames: []string{name},
	}, i.cert, newKey(i.t))
	return &tls.Certificate{Certificate: [][]byte{leaf.Raw, i.cert.Raw}, Leaf: leaf}
}

// While a certificate is being renewed, processes have different ones.
func TestProcessesRecogniseEachOtherWhileACertificateIsRenewed(t *testing.T) {
	ours, others := newIssuer(t), newIssuer(t)
	now, before := ours.issue("money.test", time.Hour), others.issue("money.test", time.Hour)
	for _, tt := range []struct {
		name string
		of   *tls.Certificate
		want bool
	}{
		{"the same", now, true},
		{"the one before", before, true},
		{"the next of this issuer", ours.issue("money.test", 2*time.Hour), true},
		{"one of another name", ours.issue("evil.test", time.Hour), false},
		{"one of another issuer", newIssuer(t).issue("money.test", time.Hour), false},
		{"one that has ended", ours.issue("money.test", -time.Minute), false},
	} {
		chain := []*x509.Certificate{tt.of.Leaf}
		if err := recognise(chain, "10.0.0.2", []*tls.Certificate{now, before}); (err == nil) != tt.want {
			t.Errorf("%s: %v", tt.name, err)
		}
	}
	if err := recognise([]*x509.Certificate{now.Leaf}, "10.0.0.2", nil); err == nil {
		t.Error("without a certificate of its own a process takes any")
	}
}
