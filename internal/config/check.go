package config

import (
	"errors"
	"fmt"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"expenseflow/models"
)

const (
	minSecret     = 32 // characters, in production
	minAdminToken = 16 // characters
	// minSyncRate is what offline batches of one device are always allowed
	// (docs/contract.md#d34): a refused batch stays in the browser's queue.
	minSyncRate = 60
)

// samples are secrets that stand in public files, the first in the original's
// own .env (docs/contract.md#d29).
var samples = []string{
	"your-super-secret-jwt-key-change-this-in-production",
	"your-super-secret-jwt-key",
	"your_jwt_secret",
	"your-secret-key",
	"changeme",
	"secret",
}

// check reports what the types alone cannot tell.
func (c *Config) check(vars map[string]string, ps *Problems) {
	c.checkBounds(vars, ps)
	c.checkSecret(ps)
	c.checkDatabase(ps)
	c.checkFiles(ps)
	c.checkFrontend(vars, ps)
	c.checkSyncRate(ps)
	c.checkAdminToken(ps)
	if _, ok := vars["MONGODB_URI"]; ok {
		c.warn("MONGODB_URI is not used: data is kept in SQLite, or in PostgreSQL by DATABASE_URL.")
	}
	if _, ok := vars["FRONTEND_DIR"]; ok && len(c.StaticDir) == 0 {
		c.warn("FRONTEND_DIR is read by docker compose alone: set STATIC_DIR to serve that folder.")
	}
	if _, ok := vars["REDIS_URL"]; ok {
		c.warn("REDIS_URL is not used: several processes meet in PostgreSQL alone.")
	}
}

func (c *Config) checkSyncRate(ps *Problems) {
	if r := c.SyncRateLimit; r.N > 0 && time.Duration(r.N)*time.Minute < minSyncRate*r.Per {
		s, _ := settingOfField("SyncRateLimit")
		p := s.problem(r.String(), "is too small")
		p.Fix = "Set SYNC_RATE_LIMIT to 60/1m or more, or to 0 for no limit."
		*ps = append(*ps, p)
	}
}

func (c *Config) checkAdminToken(ps *Problems) {
	if n := len(c.AdminToken); n > 0 && n < minAdminToken {
		*ps = append(*ps, Problem{
			"ADMIN_TOKEN", fmt.Sprintf("ADMIN_TOKEN is shorter than %d characters.", minAdminToken),
			"Set it to the output of: openssl rand -hex 16. Or leave it empty to close POST /api/admin/status.",
		})
	}
}

func (c *Config) warn(text string) { c.Warnings = append(c.Warnings, text) }

func (c *Config) checkBounds(vars map[string]string, ps *Problems) {
	config := reflect.ValueOf(c).Elem()
	for _, s := range Settings() {
		if why := s.breach(config.Field(s.field)); why != "" {
			*ps = append(*ps, s.problem(vars[s.Name], why))
		}
	}
}

// checkSecret refuses in production what it only warns of elsewhere.
func (c *Config) checkSecret(ps *Problems) {
	why := c.weakness()
	switch {
	case why == "":
	case c.Production():
		*ps = append(*ps, Problem{
			"JWT_SECRET", "JWT_SECRET " + why + ", and NODE_ENV is production.",
			"Set it to the output of: openssl rand -hex 32. Or set JWT_SECRET_AUTO=true to have one made and kept in " + c.DataDir + ".",
		})
	case c.JWTSecret != "":
		c.warn("JWT_SECRET " + why + "; production would refuse it.")
	case !c.MakeSecret():
		*ps = append(*ps, Problem{"JWT_SECRET", "JWT_SECRET is missing, and JWT_SECRET_AUTO is false.", "Set one of them."})
	}
}

func (c *Config) weakness() string {
	switch {
	case c.JWTSecret == "" && c.Production() && c.MakeSecret():
		return ""
	case c.JWTSecret == "":
		return "is missing"
	case slices.Contains(samples, strings.ToLower(c.JWTSecret.Reveal())):
		return "is a published sample that everybody knows"
	case len(c.JWTSecret) < minSecret:
		return fmt.Sprintf("is shorter than %d characters", minSecret)
	}
	return ""
}

func (c *Config) checkDatabase(ps *Problems) {
	dsn := c.DatabaseURL.Reveal()
	if why := noDatabase(dsn); why != "" {
		*ps = append(*ps, Problem{
			"DATABASE_URL", "DATABASE_URL " + why + ".",
			"Set it to postgres://user:password@host:5432/name, or to the path of a SQLite file, or leave it empty.",
		})
	} else if unescaped(dsn) {
		*ps = append(*ps, Problem{
			"DATABASE_URL", "DATABASE_URL has a character in its user name or password that means something else in a URL.",
			"Write there @ as %40, / as %2F, # as %23, ? as %3F and % as %25.",
		})
	}
}

// unescaped reports whether a part of the password of a postgres:// URL would be
// taken for its host, port, path or query, and so shown.
func unescaped(dsn string) bool {
	_, rest, isURL := strings.Cut(dsn, "://")
	if !isURL {
		return false
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	authority, tail := rest[:end], rest[end:]
	path, _, _ := strings.Cut(tail, "?")
	switch strings.Count(authority, "@") {
	case 0: // an @ after it ends the password, unless it stands in an option
		_, port, hasPort := strings.Cut(authority, ":")
		_, notPort := strconv.ParseUint(port, 10, 16)
		return strings.Contains(path, "@") || strings.Contains(tail, "@") && hasPort && notPort != nil && !strings.HasPrefix(authority, "[")
	case 1:
		user, _, _ := strings.Cut(authority, "@")
		_, err := url.PathUnescape(user)
		return err != nil || strings.Contains(path, "@")
	}
	return true
}

// What people write for a database and what would be a strange name for a file.
// A drive of Windows has one letter.
var (
	schemeText   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+.-]+:(//)?`)
	keywordsText = regexp.MustCompile(`(^|\s)(host|hostaddr|port|dbname|user|password|service) *=`)
)

// noDatabase says why dsn names none, "" if it does. A file would otherwise be
// made of that name, with whatever password is in it.
func noDatabase(dsn string) string {
	switch scheme := schemeText.FindString(dsn); {
	case scheme == "postgres://", scheme == "postgresql://":
		return ""
	case scheme != "":
		return "starts with " + scheme + ", which is no database known here"
	case keywordsText.MatchString(dsn):
		return "is a list of keywords, which is not read here"
	case dsn == ":memory:":
		return "is :memory:, which would be lost with the process"
	}
	return ""
}

func (c *Config) checkFiles(ps *Problems) {
	if (c.TLSCertFile == "") != (c.TLSKeyFile == "") {
		*ps = append(*ps, Problem{"TLS_CERT_FILE", "One of TLS_CERT_FILE and TLS_KEY_FILE is set without the other.", "Set both, or neither."})
	}
	c.readRates(ps)
	for _, f := range []struct{ name, path string }{{"TLS_CERT_FILE", c.TLSCertFile}, {"TLS_KEY_FILE", c.TLSKeyFile}} {
		if err := readable(f.path); err != nil {
			*ps = append(*ps, Problem{f.name, f.name + "=" + f.path + " cannot be read: " + cause(err) + ".", "Name a PEM file that this user may read."})
		}
	}
}

// readRates fills Rates from RatesFile.
func (c *Config) readRates(ps *Problems) {
	if c.RatesFile == "" {
		return
	}
	rates, err := readRates(c.RatesFile)
	if err != nil {
		*ps = append(*ps, Problem{
			"RATES_FILE", "RATES_FILE=" + c.RatesFile + " " + err.Error() + ".",
			`Name a file such as {"base": "USD", "date": "2026-11-27", "rates": {"EUR": 0.86}}, or leave it empty.`,
		})
	}
	c.Rates = rates
}

func readRates(path string) (*models.Rates, error) {
	info, err := os.Stat(path)
	if err == nil && info.Size() > maxRatesFile {
		return nil, errors.New("is too large to hold exchange rates")
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("cannot be read: %s", cause(err))
	}
	return models.ParseRates(text, info.ModTime())
}

// maxRatesFile bounds a file of rates in bytes: those of all currencies take a few
// thousand.
const maxRatesFile = 1 << 20

func readable(path string) error {
	if path == "" {
		return nil
	}
	f, err := os.Open(path)
	if err != nil {
		return err
	}
	return f.Close()
}

// checkNames finds settings that were misspelt: a name that is almost one of
// ours is a problem, since silence would leave the default in force; another
// name in .env is only mentioned, since a frontend's own .env may have it.
func (c *Config) checkNames(vars map[string]string, fromFile []string, ps *Problems) {
	known := knownNames()
	var unknown []string
	for name := range vars {
		if slices.Contains(known, name) {
			continue
		}
		if meant := nearest(name, known); meant != "" {
			*ps = append(*ps, Problem{name, name + " is not a setting.", "Did you mean " + meant + "?"})
		} else if slices.Contains(fromFile, name) {
			unknown = append(unknown, name)
		}
	}
	if len(unknown) > 0 {
		slices.Sort(unknown)
		c.warn(".env has names that are not used here: " + strings.Join(unknown, ", ") + ".")
	}
}

func knownNames() []string {
	names := []string{"MONGODB_URI", "REDIS_URL", "FRONTEND_DIR", "POSTGRES_PASSWORD"} // the last two are the compose files'
	for _, s := range Settings() {
		names = append(names, s.Name)
		if s.Secret {
			names = append(names, s.Name+"_FILE")
		}
	}
	return names
}

const (
	minGuess = 8 // shorter names are too often somebody else's
	maxTypos = 2
)

// nearest gives the known name that is name with a typo or two, or "".
func nearest(name string, known []string) string {
	for _, k := range known {
		if len(name) >= minGuess && len(k) >= minGuess && name[0] == k[0] && distance(name, k) <= maxTypos {
			return k
		}
	}
	return ""
}

// distance is how many letters must be added, dropped, replaced or swapped with
// their neighbour to make b of a.
func distance(a, b string) int {
	rows := make([][]int, len(a)+1)
	for i := range rows {
		rows[i] = make([]int, len(b)+1)
		rows[i][0] = i
	}
	for j := range len(b) + 1 {
		rows[0][j] = j
	}
	for i := 1; i <= len(a); i++ {
		for j := 1; j <= len(b); j++ {
			rows[i][j] = cheapest(rows, a, b, i, j)
		}
	}
	return rows[len(a)][len(b)]
}

func cheapest(rows [][]int, a, b string, i, j int) int {
	replace := rows[i-1][j-1]
	if a[i-1] != b[j-1] {
		replace++
	}
	best := min(replace, rows[i-1][j]+1, rows[i][j-1]+1)
	if i > 1 && j > 1 && a[i-1] == b[j-2] && a[i-2] == b[j-1] {
		best = min(best, rows[i-2][j-2]+1)
	}
	return best
}
