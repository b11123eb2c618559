package engineio

import (
	"cmp"
	"log/slog"
	"net/http"
	"time"
)

// The names of transports, as the query parameter "transport" has them.
const (
	Polling   = "polling"
	WebSocket = "websocket"
)

// Config says how a Server behaves. Its zero value is what the Node.js server
// does by default, with bounds where that has none. New reads it once.
type Config struct {
	PingInterval   time.Duration // between a pong and the next ping; default 25 s
	PingTimeout    time.Duration // for the pong to arrive; default 20 s
	UpgradeTimeout time.Duration // from the second transport's handshake to the packet "5"; default 10 s

	// MaxPayload bounds one message of a WebSocket connection, decompressed, and
	// one POST body, in bytes. What is larger ends the session. Clients are told.
	// Default 1,000,000.
	MaxPayload int64

	// Transports are those spoken; default both.
	Transports []string

	// NoUpgrades neither offers nor accepts the upgrade to WebSocket.
	NoUpgrades bool

	// QueueBytes is how much may wait for one session before TrySend and
	// SendVolatile refuse, in bytes as Group.Size counts them; default 1 MiB.
	// A session over it is not read either, so that requests cannot pile up
	// replies.
	QueueBytes int

	// MaxQueueBytes is how much may wait before Send closes the session as slow,
	// in bytes; default 16 times QueueBytes.
	MaxQueueBytes int

	// StallTimeout is how long a client may take nothing although something
	// waits for it; default 10 s.
	StallTimeout time.Duration

	// CloseTimeout bounds how long Session.Close waits for the queue to empty;
	// default 30 s.
	CloseTimeout time.Duration

	// SendBuffer is the kernel's send buffer of a WebSocket connection in bytes,
	// since memory there counts too; default 128 KiB. Linux doubles it.
	SendBuffer int

	// MaxSessions bounds the open sessions, and MaxPending those that are not
	// established (see Session.Establish); newcomers beyond get 503. Both are shared
	// by address as package fair says: whoever holds much is refused first, and only
	// when more than half is in use. 0: none.
	MaxSessions int
	MaxPending  int

	// Address names whom a connection's sessions are counted to; default the host of
	// RemoteAddr.
	Address func(*http.Request) string

	// MaxEarlyPayload is MaxPayload for sessions that are not established, in bytes.
	// Clients are not told. Default MaxPayload.
	MaxEarlyPayload int64

	// MaxUnfinished bounds what messages of all sessions occupy that have not arrived
	// or been handled yet, in bytes: frames, POST bodies, and what Session.Reserve was
	// asked for. Of each message the first 4 KiB do not count. It is shared as
	// MaxSessions is, by address or by the name that Session.SetOwner gave. What comes
	// beyond ends its session, with close code 1013 or status 503. Default 64 MiB.
	MaxUnfinished int64

	// PacketRate is how many packets a client may send per second, after PacketBurst
	// at once: packets of every kind, and the pings and pongs of WebSocket. Every 4 KiB
	// count as one more. A session beyond ends. 0: no limit.
	PacketRate  float64
	PacketBurst int

	// KeepHeaders and KeepQuery name what a Handshake keeps of the first request; nil
	// keeps all of it. With KeepQuery its URL is the path alone.
	KeepHeaders []string
	KeepQuery   []string

	// Crowded hears once when over nine tenths of 200 sessions or more are of one
	// address, which is probably that of a proxy. It must not block.
	Crowded func(address string, held, all int64)

	// CORS answers preflight requests and marks answers; nil: no such headers.
	CORS *CORS

	// Cookie is set by the answer to a polling handshake, its value being the
	// session id: for load balancers. DefaultCookie has Node's fields. nil: none.
	Cookie *http.Cookie

	// AllowRequest refuses a handshake by returning an error, whose text the
	// client reads (HTTP 403, code 4; "Forbidden" if it is empty). nil: all.
	AllowRequest func(*http.Request) error

	// InitialHeaders may add headers to the answer to a handshake, Headers to
	// every answer of polling and to WebSocket handshakes. They run on the
	// request's goroutine.
	InitialHeaders func(http.Header, *http.Request)
	Headers        func(http.Header, *http.Request)

	// Refused hears of every request that was answered with an error code.
	Refused func(r *http.Request, code ErrorCode, reason string)

	// PerMessageDeflate accepts the WebSocket extension of that name, without
	// context takeover, and compresses messages of 1 KiB and more.
	PerMessageDeflate bool

	// NoHTTPCompression stops polling answers of 1 kB and more from being
	// compressed for clients that accept gzip or deflate.
	NoHTTPCompression bool

	// Logger hears of clients' trouble at Debug level; default slog.Default.
	Logger *slog.Logger
}

// DefaultCookie is the cookie that the Node.js server sets with cookie: true.
func DefaultCookie() *http.Cookie {
	return &http.Cookie{Name: "io", Path: "/", HttpOnly: true, SameSite: http.SameSiteLaxMode}
}

// withDefaults fills what c leaves zero.
func (c Config) withDefaults() Config {
	c.PingInterval = cmp.Or(c.PingInterval, 25*time.Second)
	c.PingTimeout = cmp.Or(c.PingTimeout, 20*time.Second)
	c.UpgradeTimeout = cmp.Or(c.UpgradeTimeout, 10*time.Second)
	c.MaxPayload = cmp.Or(c.MaxPayload, 1_000_000)
	c.QueueBytes = cmp.Or(c.QueueBytes, 1<<20)
	c.MaxQueueBytes = cmp.Or(c.MaxQueueBytes, 16*c.QueueBytes)
	c.StallTimeout = cmp.Or(c.StallTimeout, 10*time.Second)
	c.CloseTimeout = cmp.Or(c.CloseTimeout, 30*time.Second)
	c.SendBuffer = cmp.Or(c.SendBuffer, 128<<10)
	c.MaxEarlyPayload = cmp.Or(c.MaxEarlyPayload, c.MaxPayload)
	if c.Address == nil {
		c.Address = hostOf
	}
	c.MaxUnfinished = cmp.Or(c.MaxUnfinished, 64<<20)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	if c.Transports == nil {
		c.Transports = []string{Polling, WebSocket}
	}
	return c
}
