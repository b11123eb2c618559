// Package pubsub connects to what carries messages between processes: Redis (PUBLISH and
// SUBSCRIBE) or PostgreSQL (NOTIFY and LISTEN).
//
// What it promises:
//
//   - A message is delivered at most once to each listener, and those that one Broker
//     published arrive in order, as long as its connection holds.
//   - Listen returns when the connection breaks, also when the other side only falls
//     silent; it never connects again by itself, so its caller knows that messages may
//     have been lost.
//   - Check distinguishes a configuration that will never work (models.Invalid, one
//     sentence with the fix) from a server that cannot be reached now
//     (models.Unavailable). No message contains a password.
package pubsub

import (
	"context"
	"log/slog"
	"sync/atomic"
	"time"
)

// A Broker carries messages. Its methods may be called concurrently, except that there is
// one caller of Publish at a time.
type Broker interface {
	// Check reports whether messages on this channel can be published and listened to.
	Check(ctx context.Context, channel string) error

	// Listen calls received with each message of these channels, one at a time, until ctx
	// ends or the connection breaks. subscribed is called before, when nothing that is
	// published from then on will be missed.
	Listen(ctx context.Context, to Channels, subscribed func(), received func(channel, payload string)) error

	// Publish sends messages to a channel in one round trip. After an error some of them
	// may have been sent.
	Publish(ctx context.Context, channel string, payloads []string) error

	// Close closes the connections that Publish keeps.
	Close() error
}

// Channels are what to listen to. Patterns are Redis's (see EscapePattern); PostgreSQL has
// none.
type Channels struct {
	Names, Patterns []string
}

const (
	// connectTimeout bounds one attempt to connect, unless the URL says otherwise.
	connectTimeout = 5 * time.Second

	// silence is how long a connection may say nothing before it is asked whether it still
	// works, and replyTimeout how long the answer may take.
	silence      = 15 * time.Second
	replyTimeout = 5 * time.Second
)

// Pauses are those between attempts that fail one after the other; the zero value is before
// the first. They double, from 100 ms on.
type Pauses time.Duration

// Next returns how long to wait, at most longest.
func (p *Pauses) Next(longest time.Duration) time.Duration {
	*p = Pauses(min(max(firstPause, 2*time.Duration(*p)), longest))
	return time.Duration(*p)
}

// LongestPause is that after a server could not be reached.
const LongestPause = 2 * time.Second

const firstPause = 100 * time.Millisecond

// Sleep waits for d, or until ctx ends.
func Sleep(ctx context.Context, d time.Duration) {
	if d <= 0 {
		return
	}
	t := time.NewTimer(d)
	defer t.Stop()
	select {
	case <-ctx.Done():
	case <-t.C:
	}
}

// A Log writes at most one warning a minute about trouble, and one line when it has passed.
// Its methods may be called concurrently.
type Log struct {
	*slog.Logger
	warned atomic.Int64 // when, in ns since 1970; 0 after the trouble has passed
}

// Trouble logs an error, unless it was logged less than a minute ago or ctx has ended.
func (l *Log) Trouble(ctx context.Context, message string, err error) {
	now, last := time.Now().UnixNano(), l.warned.Load()
	if ctx.Err() != nil || (last != 0 && now-last < int64(time.Minute)) || !l.warned.CompareAndSwap(last, now) {
		return
	}
	l.WarnContext(ctx, message, slog.Any("error", err))
}

// Passed logs that the trouble has passed, if there was any.
func (l *Log) Passed(message string) {
	if l.warned.Swap(0) != 0 {
		l.Info(message)
	}
}
