package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/netip"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"expenseflow/internal/origin"
	"expenseflow/models"
)

// A Secret is a string that is redacted in logs, messages and listings.
type Secret string

const redacted = "REDACTED"

// String returns "REDACTED".
func (Secret) String() string { return redacted }

// GoString returns "REDACTED".
func (Secret) GoString() string { return redacted }

// LogValue returns "REDACTED".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText returns "REDACTED".
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Reveal returns the secret.
func (s Secret) Reveal() string { return string(s) }

// A DSN is the address of a database. Its String method hides the credentials.
type DSN string

// String returns the path of a file, or the scheme, host and path of a URL. Text in any
// other form is hidden: it may be a connection string with a password.
func (d DSN) String() string {
	switch isURL := strings.Contains(string(d), "://"); {
	case !isURL && databaseProblem(string(d)) != "":
		return redacted
	case !isURL:
		return string(d)
	}
	u, err := url.Parse(string(d))
	if err != nil || hasUnescapedChar(string(d)) {
		return redacted
	}
	return u.Scheme + "://" + u.Host + u.Path
}

// GoString is String.
func (d DSN) GoString() string { return d.String() }

// LogValue is String.
func (d DSN) LogValue() slog.Value { return slog.StringValue(d.String()) }

// MarshalText is String.
func (d DSN) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

// Reveal returns the address with its credentials.
func (d DSN) Reveal() string { return string(d) }

// Bytes is a size in bytes. Its texts are such as 65536, 64KiB and 1mb; k, m and g are
// powers of 1024, with or without the i.
type Bytes int64

var sizeText = regexp.MustCompile(`(?i)^(\d{1,12}) *(?:([kmg])i?)?b?$`)

// UnmarshalText parses a size.
func (b *Bytes) UnmarshalText(text []byte) error {
	m := sizeText.FindSubmatch(text)
	if m == nil {
		return errors.New("is not a size")
	}
	n, err := strconv.ParseInt(string(m[1]), 10, 64)
	if err != nil {
		return errors.New("is not a size")
	}
	shift := map[string]int{"": 0, "k": 10, "m": 20, "g": 30}[strings.ToLower(string(m[2]))]
	if n > (1<<62)>>shift {
		return errors.New("is too large")
	}
	*b = Bytes(n << shift)
	return nil
}

func (b Bytes) String() string {
	for _, u := range []struct {
		shift int
		unit  string
	}{{30, "GiB"}, {20, "MiB"}, {10, "KiB"}} {
		if n := int64(b) >> u.shift; n > 0 && n<<u.shift == int64(b) {
			return fmt.Sprintf("%d%s", n, u.unit)
		}
	}
	return strconv.FormatInt(int64(b), 10)
}

// An Amount is an optional amount of money.
type Amount struct {
	Money models.Money
	Set   bool
}

// UnmarshalText parses texts such as 100, 12.5 and -20.
func (a *Amount) UnmarshalText(text []byte) error {
	m, err := models.ParseMoney(string(text))
	switch {
	case err != nil:
		return errors.New("is not an amount")
	case m > models.MaxAmount || m < -models.MaxAmount:
		return errors.New("is out of range")
	}
	*a = Amount{m, true}
	return nil
}

// String returns the shortest form, "" for none.
func (a Amount) String() string {
	if !a.Set {
		return ""
	}
	return a.Money.String()
}

// A Zone is a time zone by its IANA name.
type Zone struct{ *time.Location }

// UnmarshalText parses names such as UTC and Europe/Berlin.
func (z *Zone) UnmarshalText(text []byte) error {
	zone, ok := models.LoadZone(strings.TrimSpace(string(text)))
	if !ok {
		return errors.New("is not a time zone")
	}
	z.Location = zone
	return nil
}

// A Rate is a limit of N events in each Per. The zero Rate is no limit.
type Rate struct {
	N   int
	Per time.Duration
}

// PerSecond returns the rate in events per second; 0 for no limit.
func (r Rate) PerSecond() float64 {
	if r.N == 0 {
		return 0
	}
	return float64(r.N) / r.Per.Seconds()
}

// UnmarshalText parses texts such as 20/15m; 0 is no limit.
func (r *Rate) UnmarshalText(text []byte) error {
	if string(text) == "0" {
		*r = Rate{}
		return nil
	}
	count, per, _ := strings.Cut(string(text), "/")
	n, err := strconv.Atoi(strings.TrimSpace(count))
	if err != nil || n <= 0 {
		return errors.New("is not a rate")
	}
	d, err := ParseDuration(strings.TrimSpace(per))
	if err != nil || d <= 0 {
		return errors.New("is not a rate")
	}
	*r = Rate{N: n, Per: d}
	return nil
}

func (r Rate) String() string {
	if r.N == 0 {
		return "0"
	}
	return fmt.Sprintf("%d/%s", r.N, FormatDuration(r.Per))
}

// Origins is a list of web origins in the form of origin.Parse, such as
// https://money.example.org. An empty list, written as "*" or "", allows any.
type Origins []string

// UnmarshalText parses a comma-separated list.
func (o *Origins) UnmarshalText(text []byte) error {
	*o = nil
	all := fields(text)
	if len(all) == 1 && all[0] == "*" {
		return nil
	}
	for _, s := range all {
		if s == "*" {
			return errors.New("has * beside other origins: keep either")
		}
		canonical, err := origin.Parse(s)
		if err != nil {
			return fmt.Errorf("has %q, which %w", s, err)
		}
		if !slices.Contains(*o, canonical) {
			*o = append(*o, canonical)
		}
	}
	return nil
}

func (o Origins) String() string { return strings.Join(o, ",") }

// A BaseURL is the address of an HTTP server without a path: scheme, host and port.
type BaseURL string

// UnmarshalText parses an address such as http://10.0.0.5:3000.
func (b *BaseURL) UnmarshalText(text []byte) error {
	u, err := url.Parse(strings.TrimSuffix(string(text), "/"))
	switch {
	case err != nil, u.Scheme != "http" && u.Scheme != "https", u.Hostname() == "":
		return errors.New("is not an address that begins with http:// or https://")
	case u.User != nil || u.Path != "" || u.RawQuery != "" || u.Fragment != "":
		return errors.New("has more than a scheme, a host and a port")
	}
	*b = BaseURL(u.Scheme + "://" + u.Host)
	return nil
}

// Folders is a list of paths of folders in order of precedence.
type Folders []string

// UnmarshalText parses a list with the separator of PATH: ":" or, on Windows, ";".
func (f *Folders) UnmarshalText(text []byte) error {
	*f = nil
	for _, dir := range filepath.SplitList(string(text)) {
		if dir = strings.TrimSpace(dir); dir != "" {
			*f = append(*f, dir)
		}
	}
	return nil
}

func (f Folders) String() string { return strings.Join(f, string(filepath.ListSeparator)) }

// Prefixes is a list of networks.
type Prefixes []netip.Prefix

// UnmarshalText parses a comma-separated list of addresses and networks.
func (p *Prefixes) UnmarshalText(text []byte) error {
	*p = nil
	for _, s := range fields(text) {
		prefix, err := parsePrefix(s)
		if err != nil {
			return fmt.Errorf("has %q, which is neither an address nor a network", s)
		}
		*p = append(*p, prefix.Masked())
	}
	return nil
}

func parsePrefix(s string) (netip.Prefix, error) {
	if strings.Contains(s, "/") {
		return netip.ParsePrefix(s)
	}
	addr, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, err
	}
	return addr.Unmap().Prefix(addr.Unmap().BitLen())
}

func (p Prefixes) String() string {
	texts := make([]string, len(p))
	for i, prefix := range p {
		texts[i] = prefix.String()
	}
	return strings.Join(texts, ",")
}

// Domains is a list of names of hosts.
type Domains []string

var domainText = regexp.MustCompile(`^([a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?\.)+[a-z0-9-]*[a-z][a-z0-9-]*$`)

// UnmarshalText parses a comma-separated list of names.
func (d *Domains) UnmarshalText(text []byte) error {
	*d = nil
	for _, s := range fields(text) {
		name := strings.ToLower(strings.TrimSuffix(s, "."))
		if !domainText.MatchString(name) || len(name) > 253 {
			return fmt.Errorf("has %q, which is not the full name of a host, without https:// and port, and not with a *", s)
		}
		*d = append(*d, name)
	}
	return nil
}

func (d Domains) String() string { return strings.Join(d, ",") }

func fields(text []byte) []string {
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == ',' || r == ' ' })
}

// The units of npm's vercel/ms (docs/contract.md#tokens). A year is 365.25 days.
const (
	day  = 24 * time.Hour
	week = 7 * day
	year = 365*day + 6*time.Hour
)

var (
	durationText = regexp.MustCompile(`(?i)^(\d{1,18}(?:\.\d{1,9})?|\.\d{1,9}) *(milliseconds?|msecs?|ms|seconds?|secs?|s|minutes?|mins?|m|hours?|hrs?|h|days?|d|weeks?|w|years?|yrs?|y)?$`)
	units        = []struct {
		prefix string
		unit   time.Duration
	}{
		{"ms", time.Millisecond},
		{"mil", time.Millisecond},
		{"s", time.Second},
		{"m", time.Minute},
		{"h", time.Hour},
		{"d", day},
		{"w", week},
		{"y", year},
	}
)

// ParseDuration parses the durations of npm's vercel/ms (7d, 12h, 1.5 hours, 30 days, 1y)
// and of Go (1h30m). A plain number is seconds, whereas the original's "3600" meant 3.6
// seconds (docs/contract.md#d32).
func ParseDuration(s string) (time.Duration, error) {
	m := durationText.FindStringSubmatch(s)
	if m == nil {
		d, err := time.ParseDuration(s)
		if err != nil || d < 0 {
			return 0, errors.New("is not a duration")
		}
		return d, nil
	}
	n, err := strconv.ParseFloat(m[1], 64)
	if err != nil {
		return 0, errors.New("is not a duration")
	}
	d := n * float64(unitOf(strings.ToLower(m[2])))
	if d > float64(1<<62) {
		return 0, errors.New("is too long")
	}
	return time.Duration(d), nil
}

func unitOf(name string) time.Duration {
	for _, u := range units {
		if name != "" && strings.HasPrefix(name, u.prefix) {
			return u.unit
		}
	}
	return time.Second
}

// FormatDuration returns d in the largest unit of which it is a multiple, such as 7d or 90s.
func FormatDuration(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{day, "d"}, {time.Hour, "h"}, {time.Minute, "m"}, {time.Second, "s"}, {time.Millisecond, "ms"}} {
		if d >= u.unit && d%u.unit == 0 {
			return strconv.FormatInt(int64(d/u.unit), 10) + u.name
		}
	}
	if d == 0 {
		return "0"
	}
	return d.String()
}
