package main

import (
	"bufio"
	"context"
	"database/sql"
	"errors"
	"flag"
	"fmt"
	"net/http"
	"regexp"
	"strconv"
	"strings"
	"time"

	_ "github.com/glebarez/go-sqlite" // opens the application's file beside it
	"github.com/jackc/pgx/v5"
)

var sockets = flag.Int("sockets", 15_000, "how many `users` are signed in by -only signedin and -only crowd, each with one socket")

// signedInPeers are the application on both databases, with bounds that the crowd is far
// below, and with profiles.
func (h *harness) signedInPeers() []peer {
	peers := h.applications()[:2]
	for i := range peers {
		peers[i].argv = h.withMetrics()
		peers[i].env = append(peers[i].env, "MAX_TCP_CONNECTIONS=60000", "MAX_CONNECTIONS=60000", "SIGN_IN_RATE_LIMIT=0")
	}
	return peers
}

// Idle sockets are watched for two intervals of pings, after what a CONNECT causes is over.
const (
	settling    = 12 * time.Second
	idleWatched = 50 * time.Second
)

// measureSignedIn gives what one socket of each of many users costs: memory and processor
// time while nothing happens, and how many a second connect, 32 at a time.
func measureSignedIn(ctx context.Context, p *process, scale float64) (result, error) {
	tokens, err := p.strangers(ctx, min(scaled(*sockets, scale, 1000), descriptors()))
	if err != nil {
		return nil, err
	}
	empty, err := p.memory()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	conns, err := (&pair{here: p, there: p}).connect(tokens)
	defer closeAll(conns)
	if err != nil {
		return nil, err
	}
	n := float64(len(conns))
	out := result{"signedin": n, "signedin-connects": n / time.Since(began).Seconds()}
	if err := pause(ctx, settling); err != nil {
		return nil, err
	}
	if out["signedin-cpu"], err = idleCPU(ctx, p, n); err != nil {
		return nil, err
	}
	rss, err := p.rss()
	full, memoryErr := p.memory()
	out["signedin-memory"] = float64(rss-empty.rss) / n / 1024
	out["signedin-heap"] = (full.heap - empty.heap) / n / 1024
	out["signedin-stacks"] = (full.stacks - empty.stacks) / n / 1024
	return out, errors.Join(err, memoryErr)
}

// idleCPU is the processor time of each socket while nothing happens, in microseconds per
// second.
func idleCPU(ctx context.Context, p *process, sockets float64) (float64, error) {
	before, err := p.cpu()
	if err != nil {
		return 0, err
	}
	began := time.Now()
	if err := pause(ctx, idleWatched); err != nil {
		return 0, err
	}
	after, err := p.cpu()
	return float64((after - before).Microseconds()) / time.Since(began).Seconds() / sockets, err
}

// A memory is what a process has after a collection of garbage, in bytes.
type memory struct {
	rss          int64
	heap, stacks float64 // in use
}

// memory collects the garbage of one of our processes and asks what it has.
func (p *process) memory() (m memory, err error) {
	if m.rss, err = p.rss(); err != nil {
		return m, err
	}
	address, err := p.metricsURL()
	if err != nil {
		return m, err
	}
	res, err := client.Get(address + "/debug/pprof/heap?gc=1&debug=1")
	if err != nil {
		return m, err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return m, fmt.Errorf("profile of the heap: %s", res.Status)
	}
	for scan := bufio.NewScanner(res.Body); scan.Scan(); {
		if found := inUse.FindStringSubmatch(scan.Text()); found != nil {
			bytes, _ := strconv.ParseFloat(found[2], 64) // digits
			if found[1] == "HeapAlloc" {
				m.heap = bytes
			} else {
				m.stacks = bytes
			}
		}
	}
	return m, nil
}

var inUse = regexp.MustCompile(`^# (HeapAlloc|Stack) = (\d+)`)

// strangers puts users into the database of a process, copies of one that registers, and
// returns their tokens.
func (p *process) strangers(ctx context.Context, n int) ([]string, error) {
	if _, err := newUser(ctx, p.addr); err != nil {
		return nil, err
	}
	address := p.setting("DATABASE_URL")
	if !strings.HasPrefix(address, "postgres") {
		return sqliteStrangers(ctx, address, n)
	}
	db, err := pgx.Connect(ctx, address)
	if err != nil {
		return nil, err
	}
	defer db.Close(context.WithoutCancel(ctx))
	return (&pair{name: oursPostgres}).strangers(ctx, db, n)
}

// setting is a variable of the environment that the process was started with.
func (p *process) setting(name string) (value string) {
	for _, v := range p.cmd.Env {
		if rest, ok := strings.CutPrefix(v, name+"="); ok {
			value = rest // the last one counts
		}
	}
	return value
}

// sqliteStrangers is strangers for the file of a process, which is open beside it.
func sqliteStrangers(ctx context.Context, file string, n int) ([]string, error) {
	db, err := sql.Open("sqlite", file+"?_pragma=busy_timeout(5000)")
	if err != nil {
		return nil, err
	}
	defer db.Close()
	var columns string
	const query = `SELECT group_concat(name) FROM pragma_table_info('users') WHERE name NOT IN ('id', 'email')`
	if err := db.QueryRowContext(ctx, query).Scan(&columns); err != nil {
		return nil, err
	}
	_, err = db.ExecContext(ctx, fmt.Sprintf(`WITH RECURSIVE made(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM made WHERE i < ?)
		INSERT INTO users (id, email, %[1]s)
		SELECT printf('%%024x', i), i || '@stranger.test', %[1]s FROM (SELECT * FROM users LIMIT 1), made`, columns), n)
	tokens := make([]string, n)
	for i := range tokens {
		tokens[i] = tokenOf(fmt.Sprintf("%024x", i+1))
	}
	return tokens, err
}
