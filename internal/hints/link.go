package hints

import (
	"context"
	"errors"
	"sync"
	"time"
)

// echoTimeout is how long a message of our own may take to come back. Then the connection
// that listens is given up.
const echoTimeout = 5 * time.Second

// errSilent is why a connection was given up.
var errSilent = errors.New("what this process publishes does not come back to it: where a pooler of transactions stands " +
	"before PostgreSQL, set DATABASE_LISTEN_URL to a direct connection")

// A link is the state of the connections. Its methods may be called concurrently.
type link struct {
	mu         sync.Mutex
	cut        context.CancelCauseFunc // ends the attempt to listen
	subscribed bool
	heard      bool // a message of our own came back since
	sending    bool // the last message could be sent

	sent, echoed uint64    // numbers
	waiting      time.Time // since when anything that was sent has not come back
}

// begin notes an attempt to listen.
func (l *link) begin(cut context.CancelCauseFunc) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.cut, l.subscribed, l.heard = cut, false, false
}

// end notes the end of an attempt, and reports whether it had worked.
func (l *link) end() (worked bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	worked = l.heard
	l.subscribed, l.heard = false, false
	return worked
}

// subscribe notes that what is published from now on is heard.
func (l *link) subscribe() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.subscribed, l.echoed = true, l.sent
}

// send notes that messages up to a number were sent, or could not be.
func (l *link) send(number uint64, ok bool, now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.sending = ok; !ok {
		return
	}
	if l.sent == l.echoed {
		l.waiting = now
	}
	l.sent = max(l.sent, number)
}

// echo notes that a message of our own came back, and reports whether it is the first one
// since the connection was made.
func (l *link) echo(number uint64, now time.Time) (first bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if number > l.echoed {
		l.echoed, l.waiting = number, now
		l.sent = max(l.sent, number) // it may come back before send has noted it
	}
	first = !l.heard
	l.heard = true
	return first
}

// giveUpIfSilent ends the attempt to listen if nothing comes back.
func (l *link) giveUpIfSilent(now time.Time) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.subscribed && l.sent != l.echoed && now.Sub(l.waiting) > echoTimeout {
		l.cut(errSilent)
	}
}

// up reports whether hints flow.
func (l *link) up(now time.Time) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.heard && l.sending && (l.sent == l.echoed || now.Sub(l.waiting) <= echoTimeout)
}
