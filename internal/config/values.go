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

// A Secret is text that no log, message or listing shows.
type Secret string

const redacted = "REDACTED"

// String gives "REDACTED".
func (Secret) String() string { return redacted }

// GoString gives "REDACTED".
func (Secret) GoString() string { return redacted }

// LogValue gives "REDACTED".
func (Secret) LogValue() slog.Value { return slog.StringValue(redacted) }

// MarshalText gives "REDACTED".
func (Secret) MarshalText() ([]byte, error) { return []byte(redacted), nil }

// Reveal gives the secret itself.
func (s Secret) Reveal() string { return string(s) }

// A DSN says where a database is. Its text shows the place and hides who asks.
type DSN string

// String gives the path of a file, and of a URL scheme, host and path.
func (d DSN) String() string {
	if !strings.Contains(string(d), "://") {
		return string(d)
	}
	u, err := url.Parse(string(d))
	if err != nil || unescaped(string(d)) {
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

// Reveal gives the whole of it.
func (d DSN) Reveal() string { return string(d) }

// Bytes is a size. Texts such as 65536, 64KiB and 1mb are understood; k, m and
// g are powers of 1024 with or without the i.
type Bytes int64

var sizeText = regexp.MustCompile(`(?i)^(\d{1,12}) *(?:([kmg])i?)?b?$`)

// UnmarshalText reads a size.
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

// An Amount is a sum of money that may be left out.
type Amount struct {
	Money models.Money
	Set   bool
}

// UnmarshalText reads texts such as 100, 12.5 and -20.
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

// String gives the shortest form, "" for none.
func (a Amount) String() string {
	if !a.Set {
		return ""
	}
	return a.Money.String()
}

// A Zone is a time zone by its IANA name.
type Zone struct{ *time.Location }

// UnmarshalText reads names such as UTC and Europe/Berlin.
func (z *Zone) UnmarshalText(text []byte) error {
	zone, ok := models.LoadZone(strings.TrimSpace(string(text)))
	if !ok {
		return errors.New("is not a time zone")
	}
	z.Location = zone
	return nil
}

// A Rate is how often something may happen: N times in each Per. The zero Rate
// is no limit.
type Rate struct {
	N   int
	Per time.Duration
}

// PerSecond is the rate in a second; 0 for no limit.
func (r Rate) PerSecond() float64 {
	if r.N == 0 {
		return 0
	}
	return float64(r.N) / r.Per.Seconds()
}

// UnmarshalText reads texts such as 20/15m; 0 is no limit.
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

// Origins are web origins in the form of origin.Parse, such as
// https://money.example.org. None, or "*" alone, stands for any.
type Origins []string

// UnmarshalText reads a comma-separated list.
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

// Folders are paths of folders, in the order in which they are looked at.
type Folders []string

// UnmarshalText reads a list with the separator of PATH: : or, on Windows, ;.
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

// Prefixes are networks.
type Prefixes []netip.Prefix

// UnmarshalText reads a comma-separated list of addresses and networks.
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

func fields(text []byte) []string {
	return strings.FieldsFunc(string(text), func(r rune) bool { return r == ',' || r == ' ' })
}

// The units that vercel/ms knows (docs/contract.md#tokens). A year is 365.25 days.
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
	}{{"ms", time.Millisecond}, {"mil", time.Millisecond}, {"s", time.Second}, {"m", time.Minute}, {"h", time.Hour}, {"d", day}, {"w", week}, {"y", year}}
)

// ParseDuration reads what vercel/ms reads (7d, 12h, 1.5 hours, 30 days, 1y)
// and Go's own form (1h30m). A bare number is seconds, unlike the original's
// "3600", which meant 3.6 seconds (docs/contract.md#d32).
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

// FormatDuration writes d in its largest whole unit, such as 7d or 90s.
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
