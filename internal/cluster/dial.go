package cluster

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
)

// receiveBuffer is the size of the kernel's receive buffer of a connection to another
// process in bytes: what waits there is not known to the owner as waiting.
const receiveBuffer = 64 << 10

// dialPlain connects to another process. The environment's proxies are not used.
func (f *forwarding) dialPlain(ctx context.Context, network, addr string) (net.Conn, error) {
	ctx, cancel := context.WithTimeout(ctx, ownerTimeout)
	defer cancel()
	conn, err := f.connect(ctx, network, addr)
	if tcp, ok := conn.(*net.TCPConn); ok {
		_ = tcp.SetReadBuffer(receiveBuffer)
	}
	return conn, err
}

// dialTLS connects to another process that serves HTTPS.
func (f *forwarding) dialTLS(ctx context.Context, network, addr string) (net.Conn, error) {
	plain, err := f.dialPlain(ctx, network, addr)
	if err != nil {
		return nil, err
	}
	host, _, _ := net.SplitHostPort(addr)
	conn := tls.Client(plain, f.tlsConfig(host))
	ctx, cancel := context.WithTimeout(ctx, ownerTimeout)
	defer cancel()
	if err := conn.HandshakeContext(ctx); err != nil {
		return nil, errors.Join(err, plain.Close())
	}
	return conn, nil
}

// dial connects to a process.
func (f *forwarding) dial(ctx context.Context, a address) (net.Conn, error) {
	if a.scheme == "https" {
		return f.dialTLS(ctx, "tcp", a.dial)
	}
	return f.dialPlain(ctx, "tcp", a.dial)
}

// tlsConfig accepts the certificates of Options.Certificates, and whatever recognised does. The
// ordinary check is replaced because processes are mostly addressed by numbers.
func (f *forwarding) tlsConfig(host string) *tls.Config {
	return &tls.Config{
		MinVersion: tls.VersionTLS12, ServerName: host,
		InsecureSkipVerify: true, //nolint:gosec // VerifyConnection checks it
		VerifyConnection: func(s tls.ConnectionState) error {
			return recognise(s.PeerCertificates, host, f.c.ownCertificates())
		},
	}
}

func (c *Cluster) ownCertificates() []*tls.Certificate {
	if c.opts.Certificates == nil {
		return nil
	}
	return c.opts.Certificates()
}

// recognise returns nil if a chain is that of another process: one of own, or valid for host, or
// for the first name of one of own. Whoever has a key for that name could stand in for this
// process before its clients too.
func recognise(chain []*x509.Certificate, host string, own []*tls.Certificate) error {
	leaf, between := chain[0], x509.NewCertPool()
	for _, c := range chain[1:] {
		between.AddCert(c)
	}
	_, err := leaf.Verify(x509.VerifyOptions{DNSName: host, Intermediates: between})
	for _, c := range own {
		if err == nil || bytes.Equal(c.Certificate[0], leaf.Raw) {
			return nil
		}
		if c.Leaf != nil && len(c.Leaf.DNSNames) > 0 {
			_, named := leaf.Verify(x509.VerifyOptions{DNSName: c.Leaf.DNSNames[0], Intermediates: between, Roots: issuersOf(c)})
			if named == nil {
				return nil
			}
		}
	}
	return err
}

// issuersOf returns the system's authorities and those that a certificate's own chain names.
func issuersOf(c *tls.Certificate) *x509.CertPool {
	roots, err := x509.SystemCertPool()
	if err != nil {
		roots = x509.NewCertPool()
	}
	for _, der := range c.Certificate[1:] {
		if issuer, err := x509.ParseCertificate(der); err == nil {
			roots.AddCert(issuer)
		}
	}
	return roots
}
