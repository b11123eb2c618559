package cluster

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
)

// An address is where a process is reached.
type address struct {
	scheme, host string // host with its port, as in a URL
	dial         string // host with a port, always
	name         string // host without a port
}

// parseAddress parses the URL of a process.
func parseAddress(text string) (address, error) {
	u, err := url.Parse(text)
	if err != nil || u.Hostname() == "" || u.Scheme != "http" && u.Scheme != "https" {
		return address{}, errors.New("not the URL of a process")
	}
	port := u.Port()
	if port == "" {
		port = map[string]string{"http": "80", "https": "443"}[u.Scheme]
	}
	return address{u.Scheme, u.Host, net.JoinHostPort(u.Hostname(), port), u.Hostname()}, nil
}

// AdvertisedURL returns where other processes reach a server that listens on ln: its own
// address, or if it listens on every address the machine's first that is not loopback.
func AdvertisedURL(ln net.Addr, https bool) string {
	scheme := "http"
	if https {
		scheme = "https"
	}
	listening, err := netip.ParseAddrPort(ln.String())
	if err != nil {
		return scheme + "://" + ln.String()
	}
	ip := listening.Addr().Unmap().WithZone("")
	if ip.IsUnspecified() {
		ip = firstAddress(interfaceAddresses(), ip.Is4())
	}
	return scheme + "://" + net.JoinHostPort(ip.String(), strconv.Itoa(int(listening.Port())))
}

// interfaceAddresses returns the addresses of this machine.
func interfaceAddresses() (all []netip.Addr) {
	found, err := net.InterfaceAddrs()
	if err != nil {
		return nil
	}
	for _, a := range found {
		if p, err := netip.ParsePrefix(a.String()); err == nil {
			all = append(all, p.Addr().Unmap())
		}
	}
	return all
}

// firstAddress returns the first address that other machines may reach, of IPv4 if there is
// one, and loopback if there is none.
func firstAddress(all []netip.Addr, onlyIPv4 bool) netip.Addr {
	for _, v4 := range []bool{true, false} {
		for _, ip := range all {
			if ip.Is4() == v4 && ip.IsGlobalUnicast() && (v4 || !onlyIPv4) {
				return ip
			}
		}
	}
	return netip.AddrFrom4([4]byte{127, 0, 0, 1})
}

// loopbackURL reports whether only processes of the same machine reach a URL.
func loopbackURL(text string) bool {
	a, err := parseAddress(text)
	if err != nil {
		return false
	}
	ip, err := netip.ParseAddr(a.name)
	return a.name == "localhost" || strings.HasSuffix(a.name, ".localhost") || err == nil && ip.IsLoopback()
}
