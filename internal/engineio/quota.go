package engineio

import (
	"net/netip"
	"sync"
)

// A resource is something of which the server has a bounded amount.
type resource uint8

const (
	ofSessions resource = iota // open sessions
	ofPending                  // those of them that are not established, see Session.Establish
	ofBytes                    // bytes of messages that are not complete or not handled yet
	resources
)

// quotas bound what all clients together occupy, and keep one client from
// occupying it all. Each session has an account: of its address first, and of the
// name that Session.SetOwner gives it afterwards.
//
// While less than half of a resource is in use, every account gets what it asks
// for, since behind a proxy that was not declared all clients are one address.
// Above half, an account gets no more than bound/(accounts+1): one alone has at most
// half, and when all keep to their shares there is one left for a newcomer. What an
// account got before others came is not taken away.
type quotas struct {
	most [resources]int64 // 0 is no bound

	mu       sync.Mutex
	used     [resources]int64
	holders  [resources]int64 // accounts that hold some
	accounts map[string]*account
}

// An account is what one address or one user occupies. Quotas.mu guards it.
type account struct {
	name string
	uses int // sessions that name it
	held [resources]int64
}

// A decision is the answer to a request for a resource.
type decision uint8

const (
	granted decision = iota
	overShare
	overAll
)

// open returns the account of a name, to be given back by done.
func (q *quotas) open(name string) *account {
	q.mu.Lock()
	defer q.mu.Unlock()
	a := q.accounts[name]
	if a == nil {
		a = &account{name: name}
		q.accounts[name] = a
	}
	a.uses++
	return a
}

func (q *quotas) done(a *account) {
	q.mu.Lock()
	defer q.mu.Unlock()
	a.uses--
	q.tidyLocked(a)
}

// tidyLocked forgets an account that holds nothing and that nobody names.
func (q *quotas) tidyLocked(a *account) {
	if a.uses == 0 && a.held == [resources]int64{} && q.accounts[a.name] == a {
		delete(q.accounts, a.name)
	}
}

// take gives n of r to a, unless that is over a bound.
func (q *quotas) take(a *account, r resource, n int64) decision {
	q.mu.Lock()
	defer q.mu.Unlock()
	if v := q.judgeLocked(a, r, n); v != granted {
		return v
	}
	q.addLocked(a, r, n)
	return granted
}

func (q *quotas) judgeLocked(a *account, r resource, n int64) decision {
	most, used := q.most[r], q.used[r]+n
	switch {
	case most == 0 || used <= most/2:
		return granted
	case used > most:
		return overAll
	}
	holders := q.holders[r]
	if a.held[r] == 0 {
		holders++
	}
	if a.held[r]+n > most/(holders+1) {
		return overShare
	}
	return granted
}

// give takes n of r back from a; below zero it adds without asking.
func (q *quotas) give(a *account, r resource, n int64) {
	if n == 0 {
		return
	}
	q.mu.Lock()
	defer q.mu.Unlock()
	q.addLocked(a, r, -n)
	q.tidyLocked(a)
}

func (q *quotas) addLocked(a *account, r resource, n int64) {
	before := a.held[r]
	a.held[r] += n
	q.used[r] += n
	switch {
	case before == 0 && a.held[r] > 0:
		q.holders[r]++
	case before > 0 && a.held[r] == 0:
		q.holders[r]--
	}
}

// crowded tells whether a has over nine tenths of all sessions, of which there are
// many.
func (q *quotas) crowded(a *account) (held, all int64, crowded bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	held, all = a.held[ofSessions], q.used[ofSessions]
	return held, all, all >= manySessions && held*10 > all*9
}

// manySessions is from how many sessions on it is told that nearly all of them are
// of one address.
const manySessions = 200

// accountOf names whom a connection from remoteAddr ("host:port") is counted to:
// its IPv4 address, or the /64 network that a subscriber has of IPv6.
func accountOf(remoteAddr string) string {
	ap, err := netip.ParseAddrPort(remoteAddr)
	if err != nil {
		return remoteAddr
	}
	ip := ap.Addr().Unmap().WithZone("")
	if ip.Is4() {
		return ip.String()
	}
	return netip.PrefixFrom(ip, 64).Masked().String()
}

// A loan is what was taken of the bytes for one message. It belongs to one
// goroutine.
type loan struct {
	account *account
	bytes   int64
}

// borrow takes n bytes more for l on the session's account.
func (s *Session) borrow(l *loan, n int64) decision {
	if l.account == nil {
		l.account = s.account.Load()
	}
	v := s.srv.quotas.take(l.account, ofBytes, n)
	if v == granted {
		l.bytes += n
	}
	return v
}

// repay gives back all of l.
func (s *Session) repay(l *loan) {
	if l.bytes > 0 {
		s.srv.quotas.give(l.account, ofBytes, l.bytes)
	}
	*l = loan{}
}
