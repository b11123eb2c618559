// Package engineio is an Engine.IO v4 server: sessions of messages over HTTP long-polling
// and WebSocket, the upgrade from one to the other, and the heartbeat. Socket.IO is one of
// the protocols that can be built on it (package socketio); this package knows nothing of
// it. The example is a complete server.
//
// # Promises
//
//   - Messages of one session reach its Receiver one at a time and in the order in which
//     they were sent, also across an upgrade. Closed is the last call and comes exactly
//     once.
//   - What a session sends arrives in order and once, also across an upgrade. Nothing is
//     sent between the messages of a [Group]. Only pings overtake groups that wait.
//   - Send and TrySend never block, and start no goroutine for a plain TCP connection. A
//     slow client costs its own bounded queue and nobody else's time: workers try one
//     non-blocking write, and a goroutine of its own finishes what the socket did not
//     accept.
//   - A client is closed as slow for two causes: it reads nothing for Config.StallTimeout
//     although something waits for it, or more than Config.MaxQueueBytes, or than its share
//     of Config.MaxExcess, waits for it (Session.Send). It is not if it is merely behind.
//   - Everything a client can make the server keep is bounded, for the client and for all
//     together, and every read and write has a deadline or depends on the heartbeat. What
//     all share is divided by package fair, by address and by the owner that the
//     application names (Session.SetOwner).
//   - A client that the application has not accepted yet may send little
//     (Session.Establish).
//   - When Shutdown returns nil, every goroutine that the server started has ended.
//
// # Concurrency
//
// [Server], [Session], [Group] and [CORS] are safe for concurrent use. [Handler].Open is
// called concurrently for different sessions. For one session, [Receiver].Message and
// Closed are called one at a time; Drained may be called while Message runs. Functions of
// [Config] are called concurrently. All of them may call any method of a Session, and none
// of those waits for the network.
//
// Inside, each session has a lock of its own, which is never held together with the
// server's. The methods of a Receiver are called without either.
//
// # Protocol
//
// Section names in comments are those of the Engine.IO protocol document, version 4.1.
// Where that is silent the reference is the Node.js server 6.6. Frames of WebSocket follow
// RFC 6455, their compression RFC 7692.
//
// # Differences from the reference server
//
//   - Engine.IO 3, WebTransport and JSONP are not served.
//   - A query over 2 KiB or 32 parameters is answered with 414, more than 100 headers with
//     431.
//   - Methods other than GET and POST on a session are answered with 405 instead of 500.
//   - Session ids are random as a whole, after Config.IDPrefix; the reference's end in a counter.
//   - An answer to a poll has at most 16 packets, unless one group has more.
//   - A WebSocket message "1" closes the session at once instead of at the next heartbeat.
//   - A run of invalid UTF-8 in a POST body becomes one U+FFFD, not one for each sequence.
//   - A session that closes is not kept for a polling client that does not poll.
//   - There are bounds that the reference does not have: queues (Config.QueueBytes,
//     MaxQueueBytes, MaxExcess), sessions (MaxSessions, MaxPending), memory
//     (MaxUnfinished) and rate (PacketRate).
//
// docs/conformance.md of the repository lists the suites that were run against this server.
package engineio
