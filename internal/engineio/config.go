package engineio

import (
	"cmp"
	"net/http"
	"time"
)

// The names of transports, as the query parameter "transport" has them.
const (
	Polling   = "polling"
	WebSocket = "websocket"
)

// Config configures a Server. The zero Config behaves as the Node.js server does by
// default, with bounds where that has none. New reads it once. Its functions are called
// concurrently.
type Config struct {
	PingInterval   time.Duration // between a pong and the next ping; default 25 s
	PingTimeout    time.Duration // for the pong to arrive; default 20 s
	UpgradeTimeout time.Duration // from the second transport's handshake to the packet "5"; default 10 s

	// MaxPayload bounds one message of a WebSocket connection, decompressed, and one POST
	// body, in bytes. What is larger ends the session. Clients are told the bound.
	// Default 1,000,000.
	MaxPayload int64

	// Transports are those that are served; default both.
	Transports []string

	// NoUpgrades neither offers nor accepts the upgrade to WebSocket.
	NoUpgrades bool

	// QueueBytes is how much may wait for one session before TrySend refuses, in bytes as
	// Group.Size counts them; default 1 MiB. A session over it is not read either, so
	// that replies to its messages cannot accumulate.
	QueueBytes int

	// MaxQueueBytes is how much may wait before Send closes the session as slow,
	// in bytes; default 16 times QueueBytes.
	MaxQueueBytes int

	// MaxExcess bounds what Send queues beyond QueueBytes, for all sessions together, each
	// owner or address with a fair share, in bytes; default 64 MiB, negative for no bound.
	MaxExcess int64

	// StallTimeout is how long a client may read nothing although something waits for
	// it; default 10 s.
	StallTimeout time.Duration

	// CloseTimeout bounds how long Session.Close waits for the queue to empty;
	// default 30 s.
	CloseTimeout time.Duration

	// SendBuffer is the size of the kernel's send buffer of a WebSocket connection in
	// bytes; default 128 KiB. Linux doubles it.
	SendBuffer int

	// MaxSessions bounds the open sessions, and MaxPending those that are not established
	// (see Session.Establish); further handshakes get 503. Both are shared by address as
	// package fair says: whoever holds many is refused first, and only when more than
	// half is in use. 0: no bound.
	MaxSessions int
	MaxPending  int

	// IDPrefix begins the id of every session. Where several servers serve the same
	// clients and each has a prefix of its own, the sid of a request tells which of them
	// has its session. Default none.
	IDPrefix string

	// Postpone is asked before a session is opened. If it returns more than 0, the
	// handshake is answered with 503 and the advice to try again after that time. nil:
	// none is postponed.
	Postpone func(*http.Request) (retryAfter time.Duration)

	// Address returns the key by which the sessions of a client are counted; default
	// the host of RemoteAddr.
	Address func(*http.Request) string

	// MaxEarlyPayload is MaxPayload for sessions that are not established, in bytes.
	// Clients are not told. Default MaxPayload.
	MaxEarlyPayload int64

	// MaxUnfinished bounds the memory of messages of all sessions that have not arrived
	// completely or have not been handled, in bytes: frames, POST bodies, and what
	// Session.Reserve was asked for. The first 4 KiB of each message do not count. It is
	// shared as MaxSessions is, by address or by the name given to Session.SetOwner. A
	// message beyond ends its session, with close code 1013 or status 503. Default 64 MiB.
	MaxUnfinished int64

	// PacketRate is how many packets a client may send per second, after PacketBurst at
	// once: packets of every kind, and the pings and pongs of WebSocket. Every 4 KiB, after
	// decompression, count as one more. A session that sends more ends. 0: no limit.
	PacketRate  float64
	PacketBurst int

	// KeepHeaders and KeepQuery name the headers and parameters of the first request that
	// a Handshake has; nil: all. With KeepQuery its URL is the path alone.
	KeepHeaders []string
	KeepQuery   []string

	// Dominated is called once when over nine tenths of 200 sessions or more are of one
	// address, which is probably that of a proxy. It must not block.
	Dominated func(address string, held, all int64)

	// Label returns a word about the request that opens a session, which is kept with its
	// Handshake as long as the session lasts. It should be a constant. nil labels none.
	Label func(*http.Request) string

	// CORS answers preflight requests and sets the CORS headers of answers; nil: none.
	CORS *CORS

	// Cookie is set by the answer to a polling handshake, for load balancers; its value is
	// the session id. nil: none.
	Cookie *http.Cookie

	// AllowRequest refuses a handshake by returning an error, whose text is sent to the
	// client (HTTP 403, code 4; "Forbidden" if it is empty). nil: all are allowed.
	AllowRequest func(*http.Request) error

	// InitialHeaders may add headers to the answer to a handshake, Headers to every answer
	// of polling and to WebSocket handshakes.
	InitialHeaders func(http.Header, *http.Request)
	Headers        func(http.Header, *http.Request)

	// ObservePing is told how long each pong took, from the moment at which its ping was due.
	// It must not block; nil tells nobody.
	ObservePing func(webSocket bool, took time.Duration)

	// Refused is called for every request that is answered with an error code, and for every
	// session that ends because of a limit.
	Refused func(Refusal)

	// PerMessageDeflate accepts the WebSocket extension of that name, without context
	// takeover on either side, and compresses messages of 1 KiB and more. A Group is
	// compressed once for all sessions. A session that is idle keeps no memory for it.
	PerMessageDeflate bool

	// NoHTTPCompression turns off the compression of polling answers of 1 KiB and more for
	// clients that accept gzip or deflate.
	NoHTTPCompression bool
}

// withDefaults returns c with defaults for its zero fields.
func (c Config) withDefaults() Config {
	c.PingInterval = cmp.Or(c.PingInterval, 25*time.Second)
	c.PingTimeout = cmp.Or(c.PingTimeout, 20*time.Second)
	c.UpgradeTimeout = cmp.Or(c.UpgradeTimeout, 10*time.Second)
	c.MaxPayload = cmp.Or(c.MaxPayload, 1_000_000)
	c.QueueBytes = cmp.Or(c.QueueBytes, 1<<20)
	c.MaxQueueBytes = cmp.Or(c.MaxQueueBytes, 16*c.QueueBytes)
	c.MaxExcess = cmp.Or(c.MaxExcess, 64<<20)
	c.StallTimeout = cmp.Or(c.StallTimeout, 10*time.Second)
	c.CloseTimeout = cmp.Or(c.CloseTimeout, 30*time.Second)
	c.SendBuffer = cmp.Or(c.SendBuffer, 128<<10)
	c.MaxEarlyPayload = cmp.Or(c.MaxEarlyPayload, c.MaxPayload)
	if c.Address == nil {
		c.Address = hostOf
	}
	c.MaxUnfinished = cmp.Or(c.MaxUnfinished, 64<<20)
	if c.Transports == nil {
		c.Transports = []string{Polling, WebSocket}
	}
	return c
}
