package socketio

import (
	"cmp"
	"log/slog"
	"strings"
	"time"

	"expenseflow/internal/engineio"
)

// Config configures a Server. The zero Config behaves as the Node.js server does by
// default, with bounds where that has none. New reads it once.
type Config struct {
	Path   string          // where the server is mounted; default "/socket.io/"
	Engine engineio.Config // the connections that carry it

	// ServeClient serves the browser client, npm's socket.io-client 4.8.4, under
	// Path: socket.io.js, .min.js, .msgpack.min.js, .esm.min.js and their maps.
	ServeClient bool

	// ConnectTimeout is how long a connection may have no socket before it is closed:
	// after it was opened, and after its last socket was disconnected. Default 45 s.
	ConnectTimeout time.Duration

	MaxAttachments    int // of a client's packet; default 10, below zero none
	MaxPacketBytes    int // of a client's packet with its attachments; default four times Engine.MaxPayload
	MaxDepth          int // containers inside each other in a client's packet; default 128
	MaxNamespaceBytes int // of a namespace's name in a client's packet; default 256
	MaxNamespaces     int // of one connection; default 32
	MaxRooms          int // of one socket, in addition to that of its id; default 1000
	MaxPendingAcks    int // acknowledgements of one socket that the server waits for; default 1000

	// PacketTimeout is how long after a packet its attachments may take to arrive before
	// the connection is closed. Default 10 s.
	PacketTimeout time.Duration

	// MaxInbox is how many events of one connection may wait for their handlers,
	// with at most Engine.MaxPayload bytes together. Beyond that the connection is not
	// read until one is handled. Joining and leaving a namespace count too. Default 64.
	MaxInbox int

	// HandlerGrace is how long handlers may continue with events of a client that has
	// disconnected, before their context ends. Default 5 s.
	HandlerGrace time.Duration

	// ReleaseHandshake drops a connection's headers, query and auth when the OnConnect
	// listeners of a socket have returned. They are a good part of the memory of an
	// idle connection. Middleware of a second namespace sees no headers then.
	ReleaseHandshake bool

	// Recovery lets clients continue where their last connection ended. nil: each
	// connection begins anew.
	Recovery Recovery

	// Logger is told of protocol violations at Debug level, and of panics and failed
	// middleware at Error level. Default slog.Default.
	Logger *slog.Logger
}

// withDefaults returns c with defaults for its zero fields.
func (c Config) withDefaults() Config {
	c.Path = "/" + strings.Trim(cmp.Or(c.Path, "socket.io"), "/") + "/"
	c.ConnectTimeout = cmp.Or(c.ConnectTimeout, 45*time.Second)
	c.MaxAttachments = max(0, cmp.Or(c.MaxAttachments, 10))
	c.MaxPacketBytes = cmp.Or(c.MaxPacketBytes, 4*c.maxInboxBytes())
	c.PacketTimeout = cmp.Or(c.PacketTimeout, 10*time.Second)
	c.MaxDepth = cmp.Or(c.MaxDepth, 128)
	c.MaxNamespaceBytes = cmp.Or(c.MaxNamespaceBytes, 256)
	c.MaxNamespaces = cmp.Or(c.MaxNamespaces, 32)
	c.MaxRooms = cmp.Or(c.MaxRooms, 1000)
	c.MaxPendingAcks = cmp.Or(c.MaxPendingAcks, 1000)
	c.MaxInbox = cmp.Or(c.MaxInbox, 64)
	c.HandlerGrace = cmp.Or(c.HandlerGrace, 5*time.Second)
	c.Logger = cmp.Or(c.Logger, slog.Default())
	return c
}

// maxInboxBytes is how many bytes the events in one inbox may have.
func (c *Config) maxInboxBytes() int { return int(cmp.Or(c.Engine.MaxPayload, 1_000_000)) }

func (c *Config) limits() limits {
	return limits{attachments: c.MaxAttachments, bytes: c.MaxPacketBytes, nspBytes: c.MaxNamespaceBytes, depth: c.MaxDepth}
}
