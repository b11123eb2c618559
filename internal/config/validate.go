package config

import (
	"errors"
	"fmt"
	"net"
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
	minSecret = 32 // bytes, in production
	minToken  = 16 // bytes, of ADMIN_TOKEN, ADMIN_PASSWORD and METRICS_TOKEN
	// minSyncRate is the minimum of SYNC_RATE_LIMIT in batches per minute
	// (docs/contract.md#d34): a refused batch stays in the browser's queue.
	minSyncRate = 60
)

// sampleSecrets are published secrets, the first of them in the original's .env
// (docs/contract.md#d29).
var sampleSecrets = []string{
	"your-super-secret-jwt-key-change-this-in-production",
	"your-super-secret-jwt-key",
	"your_jwt_secret",
	"your-secret-key",
	"changeme",
	"secret",
}

// check reports problems with values that could be parsed.
func (c *Config) check(vars map[string]string, ps *Problems) {
	c.checkBounds(vars, ps)
	c.checkSecret(ps)
	c.checkPreviousSecret(ps)
	c.checkDatabase(ps)
	c.checkMessaging(ps)
	c.checkFiles(ps)
	c.checkFrontend(vars, ps)
	c.checkSyncRate(ps)
	checkToken(ps, "ADMIN_TOKEN", c.AdminToken, "to close the routes of /api/admin")
	checkToken(ps, "ADMIN_PASSWORD", c.AdminPassword, "to close the namespace /admin")
	checkToken(ps, "METRICS_TOKEN", c.MetricsToken, "to answer everybody who reaches METRICS_ADDR")
	if _, ok := vars["MONGODB_URI"]; ok {
		c.warn("MONGODB_URI is not used: data is kept in SQLite, or in PostgreSQL by DATABASE_URL. " +
			"To bring it over: mongodump --uri=\"$MONGODB_URI\" --archive | expenseflow import mongo -")
	}
	if c.BasePath != "" && len(c.StaticDir) > 0 {
		c.warn("BASE_PATH is set, and a frontend of STATIC_DIR may ask for /api/ and /socket.io/ at the root: " +
			"docs/deploy says what to do then.")
	}
	if _, ok := vars["FRONTEND_DIR"]; ok && len(c.StaticDir) == 0 {
		c.warn("FRONTEND_DIR is read by docker compose alone: set STATIC_DIR to serve that folder.")
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

// checkToken reports a token that could be guessed. emptied says what it is left empty for.
func checkToken(ps *Problems, name string, token Secret, emptied string) {
	if n := len(token); n > 0 && n < minToken {
		*ps = append(*ps, Problem{
			name, fmt.Sprintf("%s is shorter than %d characters.", name, minToken),
			"Set it to the output of: openssl rand -hex 16. Or leave it empty " + emptied + ".",
		})
	}
}

func (c *Config) warn(text string) { c.Warnings = append(c.Warnings, text) }

func (c *Config) checkBounds(vars map[string]string, ps *Problems) {
	config := reflect.ValueOf(c).Elem()
	for _, s := range Settings() {
		if why := s.boundsProblem(config.Field(s.field)); why != "" {
			*ps = append(*ps, s.problem(vars[s.Name], why))
		}
	}
}

// checkSecret reports a weak secret: as a problem in production, else as a warning.
func (c *Config) checkSecret(ps *Problems) {
	why := c.secretWeakness()
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

func (c *Config) secretWeakness() string {
	switch {
	case c.JWTSecret == "" && c.Production() && c.MakeSecret():
		return ""
	case c.JWTSecret == "":
		return "is missing"
	}
	return guessable(c.JWTSecret)
}

// guessable returns why a secret can be found out; "" if it cannot.
func guessable(secret Secret) string {
	switch {
	case slices.Contains(sampleSecrets, strings.ToLower(secret.Reveal())):
		return "is a published sample that everybody knows"
	case len(secret) < minSecret:
		return fmt.Sprintf("is shorter than %d characters", minSecret)
	}
	return ""
}

// checkPreviousSecret reports a weak secret as checkSecret does: whoever knows it can make
// tokens too.
func (c *Config) checkPreviousSecret(ps *Problems) {
	if c.JWTSecretPrevious == "" {
		return
	}
	why := guessable(c.JWTSecretPrevious)
	switch {
	case why != "" && c.Production():
		*ps = append(*ps, Problem{
			"JWT_SECRET_PREVIOUS", "JWT_SECRET_PREVIOUS " + why + ", and NODE_ENV is production.",
			"Leave it empty: everybody signs in again, and nobody else can.",
		})
	case why != "":
		c.warn("JWT_SECRET_PREVIOUS " + why + "; production would refuse it.")
	case c.JWTSecretPrevious == c.JWTSecret:
		c.warn("JWT_SECRET_PREVIOUS is the same as JWT_SECRET, and does nothing.")
	}
}

func (c *Config) checkDatabase(ps *Problems) {
	dsn := c.DatabaseURL.Reveal()
	if why := databaseProblem(dsn); why != "" {
		*ps = append(*ps, Problem{
			"DATABASE_URL", "DATABASE_URL " + why + ".",
			"Set it to postgres://user:password@host:5432/name, or to the path of a SQLite file, or leave it empty.",
		})
	} else if hasUnescapedChar(dsn) {
		*ps = append(*ps, Problem{
			"DATABASE_URL", "DATABASE_URL has a character in its user name or password that means something else in a URL.",
			"Write there @ as %40, / as %2F, # as %23, ? as %3F and % as %25.",
		})
	}
}

// redisPrefix is what REDIS_PREFIX may be.
var redisPrefix = regexp.MustCompile(`^[A-Za-z0-9_.:-]{1,64}$`)

// maxEmitterPrefix is the maximum size of EMITTER_PREFIX: PostgreSQL's names of channels
// have at most 63 bytes.
const maxEmitterPrefix = 60

// checkMessaging checks what connects processes.
func (c *Config) checkMessaging(ps *Problems) {
	add := func(name, text, fix string) { *ps = append(*ps, Problem{name, name + " " + text + ".", fix}) }
	address := c.RedisURL.Reveal()
	switch {
	case address == "":
	case !strings.HasPrefix(address, "redis://") && !strings.HasPrefix(address, "rediss://"):
		add("REDIS_URL", "is no address of Redis",
			"Set it to redis://user:password@host:6379/0, or rediss:// with TLS, or leave it empty.")
	case hasUnescapedChar(address):
		add("REDIS_URL", "has a character in its user name or password that means something else in a URL",
			"Write there @ as %40, / as %2F, # as %23, ? as %3F and % as %25.")
	case !c.OnPostgres() && !slices.Contains(c.Emitters, "redis"):
		add("REDIS_URL", "is set beside SQLite, where one process serves alone",
			"Set DATABASE_URL to a PostgreSQL that all processes share, or leave REDIS_URL empty.")
	}
	if !redisPrefix.MatchString(c.RedisPrefix) {
		add("REDIS_PREFIX", "is not 1 to 64 letters, digits and _ . : -", "Set it to a word such as expenseflow.")
	}
	if slices.Contains(c.Emitters, "redis") && address == "" {
		add("EMITTERS", "has redis, and REDIS_URL is missing", "Set REDIS_URL, or take redis out of EMITTERS.")
	}
	if slices.Contains(c.Emitters, "postgres") && !c.OnPostgres() {
		add("EMITTERS", "has postgres beside SQLite",
			"Set DATABASE_URL to the PostgreSQL of the other programs, or take postgres out of EMITTERS.")
	}
	if len(c.EmitterPrefix) > maxEmitterPrefix {
		add("EMITTER_PREFIX", "is too long for a channel of PostgreSQL", "Set it to what the other programs use, at most 60 bytes.")
	}
	switch listen := c.DatabaseListen.Reveal(); {
	case listen == "":
	case databaseProblem(listen) != "" || !isPostgresURL(listen) || hasUnescapedChar(listen):
		add("DATABASE_LISTEN_URL", "is no address of PostgreSQL",
			"Set it to postgres://user:password@host:5432/name without the pooler, or leave it empty.")
	case !c.OnPostgres():
		add("DATABASE_LISTEN_URL", "is set beside SQLite, which has no notifications", "Leave it empty.")
	}
}

func isPostgresURL(s string) bool {
	return strings.HasPrefix(s, "postgres://") || strings.HasPrefix(s, "postgresql://")
}

// hasUnescapedChar reports whether the password of a postgres:// URL has a character that
// makes part of it look like a host, port, path or query, which would be shown in logs.
func hasUnescapedChar(dsn string) bool {
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
	case 0: // an @ after the authority ends a password, unless it is in an option
		_, port, hasPort := strings.Cut(authority, ":")
		_, notPort := strconv.ParseUint(port, 10, 16)
		cut := strings.Contains(tail, "@") && hasPort && notPort != nil && !strings.HasPrefix(authority, "[")
		return cut || strings.Contains(path, "@")
	case 1:
		user, _, _ := strings.Cut(authority, "@")
		_, err := url.PathUnescape(user)
		return err != nil || strings.Contains(path, "@")
	}
	return true
}

// Forms of database addresses that are not supported, and that are unlikely as file names.
// A scheme has at least two letters, because a drive of Windows has one.
var (
	schemeText   = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9+.-]+:(//)?`)
	keywordsText = regexp.MustCompile(`(^|\s)(host|hostaddr|port|dbname|user|password|service) *=`)
)

// databaseProblem returns why dsn is not a database address, "" if it is one. Without this
// check, a file with that name would be created, which may contain a password.
func databaseProblem(dsn string) string {
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
		*ps = append(*ps, Problem{
			"TLS_CERT_FILE", "One of TLS_CERT_FILE and TLS_KEY_FILE is set without the other.", "Set both, or neither.",
		})
	}
	c.checkAutocert(ps)
	c.readRates(ps)
	for _, f := range []struct{ name, path string }{
		{"TLS_CERT_FILE", c.TLSCertFile}, {"TLS_KEY_FILE", c.TLSKeyFile}, {"AUTOCERT_CA_FILE", c.AutocertCAFile},
	} {
		if err := readable(f.path); err != nil {
			*ps = append(*ps, Problem{
				f.name, f.name + "=" + f.path + " cannot be read: " + fileErrorText(err) + ".", "Name a PEM file that this user may read.",
			})
		}
	}
}

// checkAutocert checks the settings of HTTPS beside the files.
func (c *Config) checkAutocert(ps *Problems) {
	if len(c.AutocertDomains) > 0 && c.TLSCertFile != "" {
		*ps = append(*ps, Problem{"AUTOCERT_DOMAINS", "AUTOCERT_DOMAINS and TLS_CERT_FILE are both set.", "Keep one of them."})
	}
	if len(c.AutocertDomains) > 0 && !strings.HasPrefix(c.AutocertDirectory, "https://") {
		s, _ := settingOfField("AutocertDirectory")
		*ps = append(*ps, s.problem(c.AutocertDirectory, "does not begin with https://"))
	}
	if c.Redirect() == "" {
		return
	}
	if !c.HTTPS() {
		*ps = append(*ps, Problem{
			"REDIRECT_ADDR", "REDIRECT_ADDR is set, and the server does not speak HTTPS.",
			"Set TLS_CERT_FILE and TLS_KEY_FILE or AUTOCERT_DOMAINS too, or leave it empty.",
		})
	}
	if _, _, err := net.SplitHostPort(c.Redirect()); err != nil {
		s, _ := settingOfField("RedirectAddr")
		*ps = append(*ps, s.problem(c.RedirectAddr, "is not an address with a port"))
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
		return nil, fmt.Errorf("cannot be read: %s", fileErrorText(err))
	}
	return models.ParseRates(text, info.ModTime())
}

// maxRatesFile is the maximum size of a file of rates in bytes. The rates of all currencies
// take a few thousand.
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

// checkNames finds misspelt settings. A name that is similar to a setting's is a problem,
// because the default would be used silently. Other unknown names in .env cause a warning
// only, because .env may be shared with a frontend.
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
	names := []string{"MONGODB_URI", "FRONTEND_DIR", "POSTGRES_PASSWORD"} // the last two are the compose files'
	for _, s := range Settings() {
		names = append(names, s.Name)
		if s.Secret {
			names = append(names, s.Name+"_FILE")
		}
	}
	return names
}

const (
	minNameLength = 8 // shorter names are often those of other programs
	maxTypos      = 2
)

// nearest returns the known name that differs from name by at most maxTypos, or "".
func nearest(name string, known []string) string {
	for _, k := range known {
		if len(name) >= minNameLength && len(k) >= minNameLength && name[0] == k[0] && distance(name, k) <= maxTypos {
			return k
		}
	}
	return ""
}

// distance returns the optimal string alignment distance: the number of bytes to insert,
// delete, replace or swap with their neighbour to turn a into b.
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
			rows[i][j] = minEdits(rows, a, b, i, j)
		}
	}
	return rows[len(a)][len(b)]
}

func minEdits(rows [][]int, a, b string, i, j int) int {
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
