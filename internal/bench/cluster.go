package main

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"strconv"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"github.com/redis/go-redis/v9"
	"golang.org/x/sys/unix"
)

// Names of the peers that are two processes on one database, by what they tell each
// other with.
const (
	oursByRedis  = "by-redis"
	oursByNotify = "by-notify"
	oursAlone    = "by-neither"
	nodeByRedis  = "node-redis-adapter"
)

// clusterPeers are pairs of processes. What has no hints has a Redis that is not there.
func (h *harness) clusterPeers() []peer {
	app := h.applications()
	base, express := app[1], app[2]
	base.argv = h.withMetrics()
	base.env = append(base.env, "MAX_TCP_CONNECTIONS=-1", "MAX_CONNECTIONS=0", "SIGN_IN_RATE_LIMIT=0")
	with := func(p peer, name string, env ...string) peer {
		p.name, p.env = name, append(append([]string{}, p.env...), env...)
		return p
	}
	return []peer{
		with(base, oursByRedis, "REDIS_URL="+h.redis.URL),
		with(base, oursByNotify),
		with(base, oursAlone, "REDIS_URL=redis://127.0.0.1:1"),
		with(express, nodeByRedis, "REDIS_URL="+h.redis.URL),
	}
}

// A pair is two processes of one peer on one database.
type pair struct {
	name        string
	here, there *process
	harness     *harness
}

// byRedis reports whether the processes tell each other by Redis.
func (p *pair) byRedis() bool { return p.name == oursByRedis || p.name == nodeByRedis }

// crossRate is how many creates a second are offered where their way is measured.
const crossRate = 50

// hintedRate is how many a second are offered where hints are counted.
const hintedRate = 300

// measureCluster gives the time from a create in one process to its event in the other,
// the hints that many creates cause, what Redis's death costs, and what PostgreSQL is
// asked while nothing happens, with one user online and with many.
func measureCluster(ctx context.Context, p *pair, scale float64) (result, error) {
	stop, err := metronome(time.Second / crossRate / 20)
	if err != nil {
		return nil, err
	}
	defer stop()
	users, closeUsers, err := p.crossUsers(ctx)
	defer closeUsers()
	if err != nil {
		return nil, err
	}
	out := result{}
	err = errors.Join(p.measureCross(ctx, users, scale, out), p.measureHints(ctx, users, scale, out),
		p.measureRedisDeath(ctx, users, scale, out))
	closeUsers()
	if err != nil {
		return nil, err
	}
	return out, p.measureIdleDatabase(ctx, scale, out)
}

// Crossers are users who write in one process and listen in the other.
type crossers struct {
	run   *creates
	users []*user
}

// crossUsers makes users whose one device writes here and whose other one listens there.
func (p *pair) crossUsers(ctx context.Context) (c *crossers, closeAll func(), err error) {
	c = &crossers{run: &creates{lat: &latencies{}, due: map[string]time.Time{}}}
	var conns []*conn
	closeAll = func() {
		for _, listening := range conns {
			_ = listening.Close()
		}
	}
	for range createDevices {
		u, err := newUser(ctx, p.here.addr)
		if err != nil {
			return nil, closeAll, err
		}
		listening, err := dial(p.there.addr, fmt.Sprintf(`{"token":%q}`, u.token))
		if err != nil {
			return nil, closeAll, err
		}
		listening.listen(c.run.hear)
		conns, c.users = append(conns, listening), append(c.users, u)
	}
	return c, closeAll, c.offer(ctx, crossRate, 2*time.Second) // warms up
}

// offer makes so many creates a second, and begins to count anew.
func (c *crossers) offer(ctx context.Context, rate int, d time.Duration) error {
	c.run.lat = &latencies{}
	return c.run.offerAt(ctx, c.users, rate, d)
}

func (p *pair) measureCross(ctx context.Context, c *crossers, scale float64, out result) error {
	err := c.offer(ctx, crossRate, scaledTime(12*time.Second, scale))
	out["cluster-p50"], out["cluster-p99"] = c.run.lat.at(0.50), c.run.lat.at(0.99)
	out["cluster-lost"] = float64(c.run.forget())
	return err
}

// measureHints counts what the processes tell each other.
func (p *pair) measureHints(ctx context.Context, c *crossers, scale float64, out result) error {
	before, known, err := p.hints(ctx)
	if err != nil || !known {
		return err
	}
	began := time.Now()
	if err := c.offer(ctx, hintedRate, scaledTime(8*time.Second, scale)); err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	after, _, err := p.hints(ctx)
	out["cluster-hints"] = (after - before) / took
	c.run.forget()
	return err
}

// hints is how many hints were sent so far; not known where there are none.
func (p *pair) hints(ctx context.Context) (n float64, known bool, err error) {
	switch p.name {
	case nodeByRedis:
		n, err = redisPublished(ctx, p.harness.redis.URL)
		return n, true, err
	case oursByRedis, oursByNotify:
		n, err = p.hintsSent()
		return n, true, err
	}
	return 0, false, nil
}

// redisAway is how long Redis is dead in the middle of the creates.
const redisAway = 2 * time.Second

// measureRedisDeath kills Redis under creates and starts it again.
func (p *pair) measureRedisDeath(ctx context.Context, c *crossers, scale float64, out result) error {
	if !p.byRedis() {
		return nil
	}
	died := make(chan error, 1)
	go func() {
		_ = pause(ctx, time.Second)
		err := p.harness.redis.Halt()
		_ = pause(ctx, redisAway)
		died <- errors.Join(err, p.harness.redis.Resume())
	}()
	err := c.offer(ctx, crossRate, max(redisAway+4*time.Second, scaledTime(12*time.Second, scale)))
	out["cluster-death-p99"] = c.run.lat.at(0.99)
	out["cluster-death-lost"] = float64(c.run.forget())
	return errors.Join(err, <-died)
}

// manyUsers are online where the idle cost of many is measured, as far as descriptors go.
const manyUsers = 20_000

// PostgreSQL is watched for idleTime, when what connections caused that came or went has
// been over for a while: presence, and when a device was last seen.
const (
	idleTime   = 10 * time.Second
	quietAfter = 8 * time.Second
)

// measureIdleDatabase gives the transactions a second in PostgreSQL with one user online,
// and with many, each with one socket, half of them in either process.
func (p *pair) measureIdleDatabase(ctx context.Context, scale float64, out result) (err error) {
	db, err := pgx.Connect(ctx, p.harness.postgres)
	if err != nil {
		return err
	}
	defer db.Close(context.WithoutCancel(ctx))
	tokens, err := p.strangers(ctx, db, min(scaled(manyUsers, scale, 1000), descriptors()))
	if err != nil {
		return err
	}
	one, err := p.connect(tokens[:1])
	defer closeAll(one)
	if err != nil {
		return err
	}
	if err := pause(ctx, quietAfter); err != nil {
		return err
	}
	if out["cluster-idle-1"], err = idleTransactions(ctx, db, scale); err != nil {
		return err
	}
	tokens = tokens[1:]
	empty, err := p.use()
	if err != nil {
		return err
	}
	began := time.Now()
	conns, err := p.connect(tokens)
	defer closeAll(conns)
	if err != nil {
		return err
	}
	out["cluster-online"] = float64(len(conns))
	out["cluster-connects"] = float64(len(conns)) / time.Since(began).Seconds()
	if err := pause(ctx, quietAfter); err != nil {
		return err
	}
	return p.watchIdle(ctx, db, empty, scale, out)
}

// watchIdle measures what many who are online cost while nothing happens.
func (p *pair) watchIdle(ctx context.Context, db *pgx.Conn, empty usage, scale float64, out result) error {
	before, err := p.use()
	if err != nil {
		return err
	}
	began := time.Now()
	if out["cluster-idle-n"], err = idleTransactions(ctx, db, scale); err != nil {
		return err
	}
	after, err := p.use()
	n := out["cluster-online"]
	out["cluster-memory"] = float64(after.rss-empty.rss) / n / 1024
	out["cluster-cpu"] = float64((after.cpu - before.cpu).Microseconds()) / time.Since(began).Seconds() / n
	return err
}

// A usage is what both processes use together.
type usage struct {
	rss int64
	cpu time.Duration
}

func (p *pair) use() (u usage, err error) {
	for _, proc := range []*process{p.here, p.there} {
		rss, err1 := proc.rss()
		cpu, err2 := proc.cpu()
		u.rss, u.cpu, err = u.rss+rss, u.cpu+cpu, errors.Join(err, err1, err2)
	}
	return u, err
}

// idleTransactions counts what is committed and rolled back, but for its own.
func idleTransactions(ctx context.Context, db *pgx.Conn, scale float64) (float64, error) {
	count := func() (n float64, err error) {
		const query = `SELECT pg_stat_clear_snapshot(), xact_commit + xact_rollback FROM pg_stat_database WHERE datname = current_database()`
		var ignored any
		err = db.QueryRow(ctx, query).Scan(&ignored, &n)
		return n, err
	}
	before, err := count()
	if err != nil {
		return 0, err
	}
	watched := scaledTime(idleTime, scale)
	if err := pause(ctx, watched); err != nil {
		return 0, err
	}
	after, err := count()
	return (after - before - 1) / watched.Seconds(), err
}

// descriptors is how many connections this process may open, with some left for the rest.
func descriptors() int {
	var limit unix.Rlimit
	if err := unix.Getrlimit(unix.RLIMIT_NOFILE, &limit); err != nil {
		return 1000
	}
	return int(limit.Cur) - 500
}

// strangers puts users into the database, copies of one that was registered, and returns
// their tokens: registering them would take a password hash each.
func (p *pair) strangers(ctx context.Context, db *pgx.Conn, n int) ([]string, error) {
	table := "users"
	if p.name == nodeByRedis {
		table = "peer.users"
	}
	query := fmt.Sprintf(`INSERT INTO %[1]s SELECT r.*
		FROM (SELECT to_jsonb(u) AS one FROM %[1]s AS u LIMIT 1) AS known
		CROSS JOIN (SELECT substr(md5($1::text || i), 1, 24) AS id FROM generate_series(1, $2::int) AS i) AS made
		CROSS JOIN LATERAL jsonb_populate_record(NULL::%[1]s,
			one || jsonb_build_object('id', made.id, 'email', made.id || '@bench.test')) AS r
		RETURNING id`, table)
	rows, err := db.Query(ctx, query, p.name+time.Now().Format(time.RFC3339Nano), n)
	if err != nil {
		return nil, err
	}
	ids, err := pgx.CollectRows(rows, pgx.RowTo[string])
	tokens := make([]string, len(ids))
	for i, id := range ids {
		tokens[i] = tokenOf(id)
	}
	return tokens, err
}

// tokenOf signs in as a user, as whoever knows the secret can.
func tokenOf(id string) string {
	encode := base64.RawURLEncoding.EncodeToString
	now := time.Now().Unix()
	text := encode([]byte(`{"alg":"HS256","typ":"JWT"}`)) + "." +
		encode(fmt.Appendf(nil, `{"id":%q,"userId":%[1]q,"jti":"of%[1]s","iat":%d,"exp":%d}`, id, now, now+3600))
	mac := hmac.New(sha256.New, []byte(strings.TrimPrefix(benchSecret, "JWT_SECRET=")))
	mac.Write([]byte(text))
	return text + "." + encode(mac.Sum(nil))
}

// userOfToken is whose token tokenOf made.
func userOfToken(token string) string {
	var claims struct{ ID string }
	if parts := strings.Split(token, "."); len(parts) == 3 {
		b, _ := base64.RawURLEncoding.DecodeString(parts[1])
		_ = json.Unmarshal(b, &claims)
	}
	return claims.ID
}

// connect opens a socket for each token, half of them in either process.
func (p *pair) connect(tokens []string) (conns []*conn, err error) {
	const width = 32
	type dialled struct {
		conn *conn
		err  error
	}
	next, done := make(chan int), make(chan dialled)
	for range width {
		go func() {
			for i := range next {
				at := []*process{p.here, p.there}[i%2]
				c, err := dial(at.addr, fmt.Sprintf(`{"token":%q,"deviceId":"device_%d"}`, tokens[i], i))
				if err == nil {
					c.listen(func([]byte) {})
				}
				done <- dialled{c, err}
			}
		}()
	}
	go func() {
		for i := range tokens {
			next <- i
		}
		close(next)
	}()
	for range tokens {
		d := <-done
		if err = errors.Join(err, d.err); d.err == nil {
			conns = append(conns, d.conn)
		}
	}
	return conns, err
}

// hintsSent is what both processes of ours say of themselves.
func (p *pair) hintsSent() (sum float64, err error) {
	for _, proc := range []*process{p.here, p.there} {
		text, err := proc.metrics()
		if err != nil {
			return 0, err
		}
		found := hintsSentGauge.FindStringSubmatch(text)
		if found == nil {
			return 0, errors.New("the process does not count hints")
		}
		n, err := strconv.ParseFloat(found[1], 64)
		if err != nil {
			return 0, err
		}
		sum += n
	}
	return sum, nil
}

var hintsSentGauge = regexp.MustCompile(`(?m)^expenseflow_hints_sent_total (\S+)`)

// metricsURL is the port above the process's own, where withMetrics has it listen.
func (p *process) metricsURL() (string, error) {
	host, port, err := net.SplitHostPort(p.addr)
	if err != nil {
		return "", err
	}
	n, err := strconv.Atoi(port)
	return "http://" + net.JoinHostPort(host, strconv.Itoa(n+1)), err
}

// metrics is what the process says of itself.
func (p *process) metrics() (string, error) {
	address, err := p.metricsURL()
	if err != nil {
		return "", err
	}
	res, err := client.Get(address + "/metrics")
	if err != nil {
		return "", err
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

// redisPublished is how many messages Redis was given.
func redisPublished(ctx context.Context, url string) (sum float64, err error) {
	o, err := redis.ParseURL(url)
	if err != nil {
		return 0, err
	}
	c := redis.NewClient(o)
	defer c.Close()
	text, err := c.Info(ctx, "commandstats").Result()
	for _, found := range publishes.FindAllStringSubmatch(text, -1) {
		n, _ := strconv.ParseFloat(found[1], 64) // digits
		sum += n
	}
	return sum, err
}

var publishes = regexp.MustCompile(`(?m)^cmdstat_s?publish:calls=(\d+)`)
