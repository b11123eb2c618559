package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"syscall"
	"time"

	"github.com/jackc/pgx/v5"
)

var processes = flag.Int("processes", 1, "how many `processes` of one database share the sockets of -only crowd")

// ourCrowd is the name of the application where many processes have as many sockets as they can.
const ourCrowd = "expenseflow-crowd"

// crowdPeers is the application on PostgreSQL, without bounds and without a spread of closing:
// so a roll shows how fast sockets come back. It takes events of @socket.io/postgres-emitter.
func (h *harness) crowdPeers() []peer {
	p := h.applications()[1]
	p.name, p.argv = ourCrowd, h.withMetrics()
	p.env = append(p.env, "MAX_TCP_CONNECTIONS=-1", "MAX_CONNECTIONS=0", "SIGN_IN_RATE_LIMIT=0", "EMITTERS=postgres",
		"DRAIN_SPREAD=0s", "DATABASE_MAX_CONNECTIONS=8", "ACCESS_LOG=false")
	return []peer{p}
}

// A crowd is many signed-in sockets, one of each user, on processes of one database. Each
// process has a client process for its sockets, for a process has only so many descriptors.
type crowd struct {
	peer    peer
	db      *pgx.Conn
	members []*member
	out     result
	say     func(format string, args ...any)
}

// A member is one process of the crowd, with its sockets.
type member struct {
	*process
	users   []string // their ids
	clients *clients
}

// measureCrowd connects so many sockets and measures how fast they come, what they cost while
// nothing happens, an event for all of them, and how they come back when each process is
// restarted.
func (b *bench) measureCrowd(ctx context.Context, h *harness, p peer) (result, error) {
	n, each := scaled(*sockets, b.scale, 1000), 0
	if each = (n + *processes - 1) / *processes; *processes < 1 {
		return nil, errors.New("-processes must be at least 1")
	}
	if err := checkLimits(n, each); err != nil {
		return nil, err
	}
	db, err := pgx.Connect(ctx, h.postgres)
	if err != nil {
		return nil, err
	}
	defer db.Close(context.WithoutCancel(ctx))
	c := &crowd{peer: p, db: db, out: result{"crowd": float64(n)}, say: b.progress}
	defer c.close()
	if err := c.start(ctx, n, each); err != nil {
		return nil, err
	}
	for _, phase := range []func(context.Context) error{c.ramp, c.idle, c.broadcast, c.roll} {
		if err := phase(ctx); err != nil {
			return nil, err
		}
	}
	return c.out, nil
}

// start starts the processes, and makes the users.
func (c *crowd) start(ctx context.Context, n, each int) error {
	for range *processes {
		proc, err := c.peer.start(ctx)
		if err != nil {
			return err
		}
		c.members = append(c.members, &member{process: proc})
	}
	ids, err := c.makeUsers(ctx, c.members[0].process, n)
	for i, m := range c.members {
		if err == nil {
			m.users = ids[min(n, i*each):min(n, (i+1)*each)]
			m.clients, err = startClients(m.addr, i, m.users)
		}
	}
	return err
}

// makeUsers makes users of one that registers and has one entry, of which each gets a copy
// of the change when its process is away.
func (c *crowd) makeUsers(ctx context.Context, p *process, n int) ([]string, error) {
	u, err := newUser(ctx, p.addr)
	if err != nil {
		return nil, err
	}
	c.say("  %d users are made", n)
	tokens, err := (&pair{name: oursPostgres}).strangers(ctx, c.db, n)
	if err != nil {
		return nil, err
	}
	ids := make([]string, n)
	for i, token := range tokens {
		ids[i] = userOfToken(token)
	}
	body := `{"description":"Tea","amount":1.5,"category":"food","type":"expense"}`
	return ids, u.call(ctx, "POST", "/api/expenses", body, 201, nil)
}

// ramp connects all.
func (c *crowd) ramp(ctx context.Context) error {
	empty, err := c.use()
	if err != nil {
		return err
	}
	began := time.Now()
	for _, m := range c.members {
		m.clients.order("connect")
	}
	if err := c.await(ctx, "connected", began, func(s status) int { return s.Connected }); err != nil {
		return err
	}
	took := time.Since(began).Seconds()
	c.out["crowd-connects"] = c.out["crowd"] / took
	c.say("  all have connected after %.1f s", took)
	if err := pause(ctx, settling); err != nil {
		return err
	}
	full, err := c.use()
	c.out["crowd-memory"] = float64(full.rss-empty.rss) / c.out["crowd"] / 1024
	return err
}

// idle measures the processor time while nothing happens.
func (c *crowd) idle(ctx context.Context) error {
	before, err := c.use()
	if err != nil {
		return err
	}
	began := time.Now()
	if err := pause(ctx, idleWatched); err != nil {
		return err
	}
	after, err := c.use()
	c.out["crowd-cpu"] = float64((after.cpu - before.cpu).Microseconds()) / time.Since(began).Seconds() / c.out["crowd"]
	return err
}

// announcement is what @socket.io/postgres-emitter sends for io.emit("announcement", "hello").
const announcement = `{"uid":"emitter","type":3,"data":{"opts":{"rooms":[],"except":[],"flags":{}},` +
	`"packet":{"type":2,"data":["announcement","hello"],"nsp":"/"}}}`

// broadcast sends one event to all.
func (c *crowd) broadcast(ctx context.Context) error {
	c.begin("announcement")
	before, err := c.use()
	if err != nil {
		return err
	}
	began := time.Now()
	if _, err := c.db.Exec(ctx, "SELECT pg_notify('socket.io#/', $1)", announcement); err != nil {
		return err
	}
	err = c.await(ctx, "heard the event", began, func(s status) int { return s.Heard })
	after, cpuErr := c.use()
	all := c.sum()
	c.out["crowd-broadcast"] = float64(all.LastHeard-began.UnixMilli()) / 1000
	c.out["crowd-broadcast-cpu"] = float64((after.cpu - before.cpu).Microseconds()) / c.out["crowd"]
	c.out["crowd-broadcast-lost"] = c.out["crowd"] - float64(all.Heard) + float64(all.Doubled)
	return errors.Join(ignoreIncomplete(err), cpuErr)
}

// roll restarts each process, one after the other. While it is away each of its users gets a
// change, which each socket is to hear of once.
func (c *crowd) roll(ctx context.Context) error {
	c.out["crowd-roll"], c.out["crowd-roll-lost"], c.out["crowd-roll-doubled"] = 0, 0, 0
	for i, m := range c.members {
		m.clients.order("expense_created")
		took, err := c.restart(ctx, m)
		if err != nil {
			return err
		}
		all := m.clients.status()
		c.say("  process %d of %d: %d sockets are back %.1f s after the start, %d missed an event, %d heard one twice",
			i+1, len(c.members), all.Connected, took, len(m.users)-all.Heard, all.Doubled)
		c.out["crowd-roll"] = max(c.out["crowd-roll"], took)
		c.out["crowd-roll-lost"] += float64(len(m.users) - all.Heard)
		c.out["crowd-roll-doubled"] += float64(all.Doubled)
	}
	rate := c.out["crowd-connects"]
	c.out["crowd-roll-against"] = c.out["crowd-roll"] / (c.out["crowd"] / float64(len(c.members)) / rate)
	return nil
}

// restart ends a process as a deployment does and starts it again, and gives the seconds from
// its start until all of its sockets are back and have heard what they missed.
func (c *crowd) restart(ctx context.Context, m *member) (float64, error) {
	if err := m.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return 0, err
	}
	_ = m.cmd.Wait()
	if err := c.changeAll(ctx, m.users); err != nil {
		return 0, err
	}
	proc, err := c.peer.startAt(ctx, m.addr)
	if err != nil {
		return 0, err
	}
	m.process = proc
	began := time.Now()
	alone := &crowd{members: []*member{m}, out: result{"crowd": float64(len(m.users))}}
	err = alone.await(ctx, "come back", began, func(s status) int { return min(s.Connected, s.Heard) })
	all := m.clients.status()
	return float64(max(all.LastHeard, all.LastConnected)-began.UnixMilli()) / 1000, ignoreIncomplete(err)
}

// changeAll gives each of these users a copy of the one change that there is, as another
// process would.
func (c *crowd) changeAll(ctx context.Context, users []string) error {
	const query = `WITH moved AS (UPDATE users SET seq = seq + 1 WHERE id = ANY ($1) RETURNING id, seq),
		noted AS (INSERT INTO moved (user_id) SELECT id FROM moved)
		INSERT INTO changes SELECT (jsonb_populate_record(NULL::changes, to_jsonb(one) || jsonb_build_object('user_id', moved.id,
			'seq', moved.seq, 'payload', replace(one.payload, one.user_id, moved.id)))).*
		FROM moved, (SELECT * FROM changes WHERE kind = 'expense_created' ORDER BY seq LIMIT 1) AS one`
	_, err := c.db.Exec(ctx, query, users)
	return err
}

// begin has all clients count an event from now on.
func (c *crowd) begin(event string) {
	for _, m := range c.members {
		m.clients.order(event)
	}
	time.Sleep(statusEvery * 2) // until what they say is of this event
}

// errIncomplete says that some of the crowd never did what it was awaited to do.
var errIncomplete = errors.New("")

func ignoreIncomplete(err error) error {
	if errors.Is(err, errIncomplete) {
		return nil
	}
	return err
}

// await waits until all have done something, of which count is how many have, or until for a
// while no more have.
func (c *crowd) await(ctx context.Context, what string, began time.Time, count func(status) int) error {
	const patience = 20 * time.Second
	most, since := 0, time.Now()
	for {
		n := 0
		for _, m := range c.members {
			n += count(m.clients.status())
		}
		switch {
		case n == int(c.out["crowd"]):
			return nil
		case n > most:
			most, since = n, time.Now()
		case time.Since(since) > patience:
			return fmt.Errorf("%w%d of %.0f sockets have %s after %.0f s: %s", errIncomplete, most, c.out["crowd"], what,
				time.Since(began).Seconds(), c.sum().Trouble)
		}
		if err := pause(ctx, 50*time.Millisecond); err != nil {
			return err
		}
	}
}

// sum is what all clients say together.
func (c *crowd) sum() (all status) {
	for _, m := range c.members {
		all.add(m.clients.status())
	}
	return all
}

// use is what the processes use together.
func (c *crowd) use() (u usage, err error) {
	for _, m := range c.members {
		rss, err1 := m.rss()
		cpu, err2 := m.cpu()
		u.rss, u.cpu, err = u.rss+rss, u.cpu+cpu, errors.Join(err, err1, err2)
	}
	return u, err
}

func (c *crowd) close() {
	for _, m := range c.members {
		if m.clients != nil {
			m.clients.stop()
		}
		m.stop()
	}
}

// sourceOf is the loopback address from which the i-th thousand sockets of a client process
// come: each address has only as many ports as net.ipv4.ip_local_port_range names.
func sourceOf(member, thousands int) net.IP {
	return net.IPv4(127, 1+byte(member), byte(thousands/10), 1)
}
