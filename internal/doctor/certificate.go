package doctor

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"net"
	"strings"
	"time"
)

// soonShare of its life, but at most soonAtMost before its end, a certificate should have
// been renewed: those of 90 days are at 30, those of 6 days at 2.
const (
	soonShare  = 6
	soonAtMost = 14 * 24 * time.Hour
)

// certificate checks the one that browsers are shown.
func (d *doctor) certificate(ctx context.Context) Finding {
	if d.URL.Scheme != "https" {
		if d.Public {
			return warning("end TLS at a proxy, or set TLS_CERT_FILE and TLS_KEY_FILE",
				"%s is not encrypted: passwords and tokens can be read on the way", d.URL)
		}
		return skipped("this address has none: give --url the one that browsers use")
	}
	chain, err := d.chain(ctx)
	if err != nil {
		return failed("see whether the address is right, and whether TLS is spoken there", "no TLS at %s: %s", d.URL, sentence(err))
	}
	return d.judgeChain(chain)
}

// chain returns the certificates that the public address shows, the server's own first.
func (d *doctor) chain(ctx context.Context) ([]*x509.Certificate, error) {
	port := d.URL.Port()
	if port == "" {
		port = "443"
	}
	config := insecure.Clone()
	config.ServerName = d.URL.Hostname()
	ctx, cancel := context.WithTimeout(ctx, answerIn)
	defer cancel()
	conn, err := (&tls.Dialer{Config: config}).DialContext(ctx, "tcp", net.JoinHostPort(d.URL.Hostname(), port))
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	secure, isTLS := conn.(*tls.Conn)
	if !isTLS || len(secure.ConnectionState().PeerCertificates) == 0 {
		return nil, errors.New("there is no certificate")
	}
	return secure.ConnectionState().PeerCertificates, nil
}

func (d *doctor) judgeChain(chain []*x509.Certificate) Finding {
	own, host, now := chain[0], d.URL.Hostname(), d.Now()
	left := own.NotAfter.Sub(now)
	until := own.NotAfter.Format(time.DateTime)
	switch {
	case left <= 0:
		return failed("renew it", "that of %s ended at %s", host, until)
	case now.Before(own.NotBefore):
		return failed("set the clock of this machine, or have another one made", "that of %s begins at %s", host,
			own.NotBefore.Format(time.DateTime))
	case own.VerifyHostname(host) != nil:
		return failed("have one made for "+host, "that of %s is for %s", host, strings.Join(namesOf(own), ", "))
	}
	if err := d.verify(chain); err != nil {
		return failed("serve the whole chain (fullchain.pem); the file of a private authority belongs into SSL_CERT_FILE",
			"that of %s is not trusted here: %v", host, err)
	}
	if left < min(soonAtMost, own.NotAfter.Sub(own.NotBefore)/soonShare) {
		return warning("see why it was not renewed", "that of %s ends at %s", host, until)
	}
	return ok("that of %s is good until %s", host, until)
}

func namesOf(c *x509.Certificate) []string {
	names := append([]string{}, c.DNSNames...)
	for _, ip := range c.IPAddresses {
		names = append(names, ip.String())
	}
	if len(names) == 0 {
		names = append(names, "no name")
	}
	return names
}

// verify checks who signed the chain.
func (d *doctor) verify(chain []*x509.Certificate) error {
	others := x509.NewCertPool()
	for _, c := range chain[1:] {
		others.AddCert(c)
	}
	_, err := chain[0].Verify(x509.VerifyOptions{Roots: d.Roots, Intermediates: others, CurrentTime: d.Now()})
	return err
}
