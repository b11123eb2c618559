package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"expenseflow/internal/socketio/socketiotest"
)

// A socket follows one user's log and comes back as npm's client does.
type socket struct {
	w    *world
	user *user

	pid, offset string // what the last connection left
	last        int64  // sequence of the last event; 0 before the first
}

// The pauses of npm's client before it connects again, with its randomization of a half.
const (
	firstWait = time.Second
	lastWait  = 5 * time.Second
)

// run connects until ctx ends. connected is told of the first connection.
func (s *socket) run(ctx context.Context, connected func()) {
	for wait := firstWait; ctx.Err() == nil; wait = min(2*wait, lastWait) {
		was, _ := s.connection(ctx, func() {
			if connected != nil {
				connected()
				connected = nil
			} else {
				s.w.reconnects.Add(1)
			}
		})
		if was {
			wait = firstWait
		}
		select {
		case <-ctx.Done():
		case <-time.After(time.Duration((0.5 + rand.Float64()) * float64(wait))):
		}
	}
}

// connection lives through one connection and tells whether CONNECT was answered.
func (s *socket) connection(ctx context.Context, connected func()) (was bool, err error) {
	conn, err := socketiotest.Dial(ctx, "http://"+s.w.cluster.front.Pick(), socketiotest.Options{Dialer: s.w.dialer})
	if err != nil {
		return false, err
	}
	defer conn.Close()
	answer, err := conn.Connect(s.auth())
	if err != nil || !strings.HasPrefix(answer, "40") {
		return false, fmt.Errorf("CONNECT was answered %.100q: %w", answer, err)
	}
	s.welcome(answer[2:])
	connected()
	s.w.open.Add(1)
	defer s.w.open.Add(-1)
	return true, conn.Listen(s.hear)
}

func (s *socket) auth() string {
	auth := map[string]string{"token": s.user.token}
	if s.pid != "" {
		auth["pid"], auth["offset"] = s.pid, s.offset
	}
	b, _ := json.Marshal(auth) // cannot fail
	return string(b)
}

// welcome reads the answer to CONNECT. A new pid says that the server did not go on where
// the socket was.
func (s *socket) welcome(reply string) {
	var r struct{ PID string }
	_ = json.Unmarshal([]byte(reply), &r) // without a pid nothing is recovered
	if s.pid != "" && r.PID != s.pid {
		s.w.fresh.Add(1)
	}
	s.pid = r.PID
}

// hear takes a packet. Each event ends in an offset: epoch, user and sequence.
func (s *socket) hear(packet string) {
	if !strings.HasPrefix(packet, "42[") {
		return
	}
	end := strings.LastIndexByte(packet, '"')
	begin := strings.LastIndexByte(packet[:max(0, end)], '"')
	if begin < 0 || end != len(packet)-2 {
		return
	}
	s.offset = packet[begin+1 : end]
	if !strings.HasPrefix(packet, `42["expense_created"`) {
		return
	}
	parts := strings.Split(s.offset, ".")
	seq, err := strconv.ParseInt(parts[min(2, len(parts)-1)], 36, 64)
	if err == nil {
		s.take(seq)
	}
}

func (s *socket) take(seq int64) {
	s.w.events.Add(1)
	if seq <= s.last {
		s.w.doubled.Add(1)
	}
	s.last = max(s.last, seq)
}
