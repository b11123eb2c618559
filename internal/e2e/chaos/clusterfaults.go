package main

import (
	"context"
	"slices"
	"time"

	"expenseflow/internal/e2e/faultproxy"
	"expenseflow/internal/testneed"
)

// Kinds of hits with several processes.
const (
	rolls, freezes                = "rolls of all processes", "processes stopped for 15 s"
	databaseCuts, databaseSilence = "cuts from PostgreSQL", "silences of PostgreSQL"
	redisCuts, redisSilence       = "cuts from Redis", "silences of Redis"
	listenersEnded                = "listeners terminated"
	redisKills, redisPauses       = "kills of Redis", "pauses of Redis"
	redisFlushes                  = "flushes of Redis"
	switchovers, failovers        = "planned failovers", "failovers of a crash"
	behind                        = "standbys that lacked changes"
	skews                         = "clocks an hour off"
	ghosts                        = "devices that went meanwhile"
)

// freezeTime is longer than a process may be silent before it counts as dead.
const freezeTime = 15 * time.Second

// clusterClasses need several processes.
var clusterClasses = []class{
	{
		name: "roll", help: "SIGTERM of all processes, one after the other, each started again", needs: several, span: 4 * time.Second,
		hits: []string{rolls, ghosts}, strikes: []strike{roll},
	},
	{
		name: "freeze", help: "a process is stopped (SIGSTOP) for 15 s, longer than the others believe it alive", needs: several,
		span: freezeTime, once: true, hits: []string{freezes, ghosts}, strikes: []strike{freeze},
	},
	{
		name: "cut-postgres", help: "a process is cut from PostgreSQL alone, by resets or without a word", needs: several,
		span: 8 * time.Second, hits: []string{databaseCuts, databaseSilence, ghosts},
		strikes: []strike{cutPostgres, silencePostgres},
	},
	{
		name: "cut-redis", help: "a process is cut from Redis alone, by resets or without a word", needs: byRedis,
		span: 8 * time.Second, hits: []string{redisCuts, redisSilence, ghosts}, strikes: []strike{cutRedis, silenceRedis},
	},
	{
		name: "listener", help: "the connections that listen for hints are terminated", needs: without, span: 4 * time.Second,
		hits: []string{listenersEnded, ghosts}, strikes: []strike{endListeners},
	},
	{
		name: "redis", help: "Redis is killed, paused and flushed", needs: byRedis, span: 8 * time.Second,
		hits: []string{redisKills, redisPauses, redisFlushes, ghosts}, strikes: []strike{killRedis, pauseRedis, flushRedis},
	},
	{
		name: "promote", help: "PostgreSQL ends, politely or not, and its asynchronous standby is promoted", needs: several,
		span: 6 * time.Second, once: true, epochs: true, hits: []string{switchovers, failovers, behind, ghosts},
		strikes: []strike{switchOver, failOver},
	},
	{
		name: "clock", help: "the clock of one process is an hour ahead, or behind", needs: several, skewed: true,
		span: 4 * time.Second, once: true, hits: []string{skews, ghosts}, strikes: []strike{skewClock},
	},
}

// someServer is one of the servers.
func (s *schedule) someServer() (int, *server) {
	i := s.rng.IntN(len(s.cluster.servers))
	return i, s.cluster.servers[i]
}

func roll(ctx context.Context, s *schedule) error {
	for i, server := range s.cluster.servers {
		s.rush()
		s.log("-", "SIGTERM of process %d", i)
		if err := server.stop(); err != nil {
			return err
		}
		hold(s.some(0, 300))
		if err := server.start(context.WithoutCancel(ctx)); err != nil {
			return err
		}
		s.log("-", "process %d is ready again", i)
	}
	s.hit(rolls)
	return nil
}

func freeze(_ context.Context, s *schedule) error {
	s.rush()
	i, server := s.someServer()
	s.log("-", "process %d is stopped for %v", i, freezeTime)
	if err := server.pause(); err != nil {
		return err
	}
	s.hit(freezes)
	hold(freezeTime)
	s.log("-", "process %d goes on", i)
	return server.resume()
}

func cutPostgres(_ context.Context, s *schedule) error {
	i, _ := s.someServer()
	return s.cutOff(s.cluster.wires[i].postgres, i, databaseCuts, s.cutTime())
}

func cutRedis(_ context.Context, s *schedule) error {
	i, _ := s.someServer()
	return s.cutOff(s.cluster.wires[i].redis, i, redisCuts, s.some(500, 4000))
}

func silencePostgres(_ context.Context, s *schedule) error {
	i, _ := s.someServer()
	return s.hush(s.cluster.wires[i].postgres, i, databaseSilence, s.cutTime())
}

func silenceRedis(_ context.Context, s *schedule) error {
	i, _ := s.someServer()
	return s.hush(s.cluster.wires[i].redis, i, redisSilence, s.some(500, 4000))
}

// cutTime is for how long a process is cut from PostgreSQL. One cut in four is longer than
// the others take the process for living.
func (s *schedule) cutTime() time.Duration {
	if s.rng.IntN(4) == 0 {
		return freezeTime
	}
	return s.some(500, 4000)
}

// cutOff resets what goes through a process's proxy and refuses new connections for a
// while.
func (s *schedule) cutOff(p *faultproxy.Proxy, i int, kind string, t time.Duration) error {
	s.rush()
	s.log("-", "process %d: %s", i, kind)
	p.SetDown(true)
	if p.Cut() > 0 {
		s.hit(kind)
	}
	hold(t)
	p.SetDown(false)
	s.log("-", "process %d is connected again", i)
	return nil
}

// hush has a process's proxy carry nothing for a while. What waits then arrives late, or
// finds a connection that was given up.
func (s *schedule) hush(p *faultproxy.Proxy, i int, kind string, t time.Duration) error {
	s.rush()
	s.log("-", "process %d: %s", i, kind)
	p.SetSilent(true)
	if p.Len() > 0 {
		s.hit(kind)
	}
	hold(t)
	if s.rng.IntN(2) == 0 {
		p.Cut()
	}
	p.SetSilent(false)
	s.log("-", "process %d is heard again", i)
	return nil
}

// terminated ends the backends whose last statement was LISTEN.
const terminated = `SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
	WHERE pid <> pg_backend_pid() AND query ILIKE 'listen %'`

func endListeners(ctx context.Context, s *schedule) error {
	s.rush()
	n, err := s.cluster.postgres.Count(context.WithoutCancel(ctx), terminated)
	if err != nil {
		return err
	}
	s.log("-", "%d listeners are terminated", n)
	if n > 0 {
		s.hit(listenersEnded)
	}
	hold(s.some(0, 500))
	return nil
}

func killRedis(_ context.Context, s *schedule) error {
	s.rush()
	s.log("-", "kill -9 of Redis")
	if err := s.cluster.redis.Halt(); err != nil {
		return err
	}
	s.hit(redisKills)
	hold(s.some(0, 3000))
	defer s.log("-", "Redis is there again")
	return s.cluster.redis.Resume()
}

func pauseRedis(_ context.Context, s *schedule) error {
	s.rush()
	s.log("-", "Redis is stopped")
	if err := pauseRedisServer(s.cluster.redis); err != nil {
		return err
	}
	s.hit(redisPauses)
	hold(s.some(500, 4000))
	s.log("-", "Redis goes on")
	return resumeRedisServer(s.cluster.redis)
}

func flushRedis(_ context.Context, s *schedule) error {
	s.rush()
	s.log("-", "FLUSHALL")
	if err := tellRedis(s.cluster.redis.URL, "FLUSHALL"); err != nil {
		return err
	}
	s.hit(redisFlushes)
	return nil
}

func switchOver(ctx context.Context, s *schedule) error { return s.promote(ctx, false, switchovers) }
func failOver(ctx context.Context, s *schedule) error   { return s.promote(ctx, true, failovers) }

// promote starts a standby, ends the primary under load, and makes the standby the
// primary at the address that the servers know.
func (s *schedule) promote(_ context.Context, crash bool, kind string) error {
	primary := s.cluster.postgres
	standby, err := primary.StartStandby()
	if err != nil {
		return err
	}
	s.log("-", "a standby follows")
	hold(s.some(0, 1000))
	if crash && s.rng.IntN(3) > 0 {
		if err := s.fallBehind(standby); err != nil {
			return err
		}
	}
	s.rush()
	s.log("-", "the primary ends (crash %v)", crash)
	s.hit(kind)
	s.cluster.postgres = standby
	if err := primary.FailOver(standby, crash); err != nil {
		return err
	}
	s.log("-", "the standby is the primary")
	s.epoch = time.Now()
	for _, w := range s.cluster.wires {
		w.postgres.SetTarget(standby.Addr())
		w.postgres.Cut()
	}
	return nil
}

// fallBehind has a standby lack the changes of a moment, which are acknowledged.
func (s *schedule) fallBehind(standby *testneed.Server) error {
	if err := standby.StopReceiving(); err != nil {
		return err
	}
	s.log("-", "the standby receives nothing any more")
	s.hit(behind)
	s.rush()
	hold(s.some(100, 1000))
	return nil
}

// clockOffset is the setting of a server that was built with the clock's overlay.
const clockOffset = "CLOCK_OFFSET_SECONDS="

// skewClock starts one process again with a clock that is an hour off, which it keeps
// until the schedule is over.
func skewClock(ctx context.Context, s *schedule) error {
	i, server := s.someServer()
	offset := []string{"3600", "-3600"}[s.rng.IntN(2)]
	if err := server.stop(); err != nil {
		return err
	}
	server.skew(offset)
	s.log("-", "process %d starts with its clock %s s off", i, offset)
	s.hit(skews)
	return server.start(context.WithoutCancel(ctx))
}

// unskew starts processes again whose clock is off.
func (h *cluster) unskew(ctx context.Context) error {
	for _, server := range h.servers {
		if !server.skew("") {
			continue
		}
		if err := server.stop(); err != nil {
			return err
		}
		if err := server.start(context.WithoutCancel(ctx)); err != nil {
			return err
		}
	}
	return nil
}

// skew sets how many seconds the clock of the next process is off, "" for none, and
// reports whether that is a change.
func (s *server) skew(seconds string) (changed bool) {
	i := slices.IndexFunc(s.env, func(e string) bool { return len(e) > len(clockOffset) && e[:len(clockOffset)] == clockOffset })
	if i >= 0 {
		s.env = slices.Delete(s.env, i, i+1)
	}
	if seconds != "" {
		s.env = append(s.env, clockOffset+seconds)
	}
	return i >= 0 || seconds != ""
}
