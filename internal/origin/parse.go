package origin

import (
	"errors"
	"net/netip"
	"net/url"
	"regexp"
	"strings"

	"golang.org/x/net/idna"
)

// idnaProfile converts host names as browsers do.
var idnaProfile = idna.New(idna.MapForLookup(), idna.Transitional(false), idna.StrictDomainName(false))

var (
	hostText = regexp.MustCompile(`^[a-z0-9_]([a-z0-9_.-]*[a-z0-9_.])?$`)
	digits   = regexp.MustCompile(`(^|\.)(0x[0-9a-f]*|[0-9]+)\.?$`) // hosts that browsers parse as IPv4 addresses
)

// unlistable are the schemes that are not the origin of a page, with the reason.
var unlistable = map[string]string{
	"ws":   "is the address of a socket: list the page's own http:// or https:// origin",
	"wss":  "is the address of a socket: list the page's own http:// or https:// origin",
	"file": "has no origin: serve the page by HTTP",
	"data": "has no origin: serve the page by HTTP",
	"blob": "has no origin: serve the page by HTTP",
}

// Parse returns an origin in the form in which browsers send it: lower case, the host in
// punycode, no default port, no trailing slash. Besides http and https it accepts the
// schemes of app shells, such as capacitor://localhost. The error's text completes a
// sentence that begins with s.
func Parse(s string) (string, error) {
	if strings.Contains(s, "*") {
		return "", errors.New("has a wildcard, which is not supported: list each origin")
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme == "" || u.Host == "" {
		return "", errors.New("does not start with http:// or https:// and a host")
	}
	if why, ok := unlistable[u.Scheme]; ok {
		return "", errors.New(why)
	}
	if u.User != nil || strings.Trim(u.Path, "/") != "" || u.RawQuery != "" || u.Fragment != "" {
		return "", errors.New("is more than scheme, host and port")
	}
	host, err := canonicalHost(u.Hostname())
	if err != nil {
		return "", err
	}
	return u.Scheme + "://" + host + port(u), nil
}

// canonicalHost returns a host name in punycode, or an IP address in its shortest form.
func canonicalHost(name string) (string, error) {
	if ip, err := netip.ParseAddr(name); err == nil && ip.Zone() == "" {
		if ip.Is6() {
			return "[" + ip.String() + "]", nil
		}
		return ip.String(), nil
	}
	ascii, err := idnaProfile.ToASCII(name)
	if err != nil || !hostText.MatchString(ascii) || digits.MatchString(ascii) {
		return "", errors.New("has a host that is neither a name nor an address")
	}
	return ascii, nil
}

// port returns the port with its colon; "" for the scheme's default port.
func port(u *url.URL) string {
	p := strings.TrimLeft(u.Port(), "0")
	if p == "" || u.Scheme == "http" && p == "80" || u.Scheme == "https" && p == "443" {
		return ""
	}
	return ":" + p
}
