// Package socketio is a Socket.IO server: revision 5 of the protocol, which clients of
// Socket.IO 3 and 4 speak, on top of package engineio. The first example is a complete
// server.
//
// # Promises
//
//   - Events of one connection are handled one at a time, in the order in which they
//     arrived, on another goroutine than the one that reads: acknowledgements and
//     heartbeats are read meanwhile. Connections are handled concurrently. A connection
//     that sends faster than its handlers work is read more slowly.
//   - What one goroutine sends to a connection by Emit, Send and broadcasts arrives in the
//     order of the calls, and never before the answer to its CONNECT.
//   - A broadcast reaches a socket at most once, in however many of the rooms it is. It is
//     encoded once and holds no lock while it is queued.
//   - An event is acknowledged once. Ids of acknowledgements have 31 bits and come again
//     after two billion events of the process, and start at random, so a late
//     acknowledgement from an older connection matches nothing.
//   - A connection uses msgpack if its first packet is binary, and the encoding of the
//     protocol document otherwise. Both kinds receive the same broadcasts.
//   - A connection is established (engineio.Session.Establish) while it has a socket.
//   - An idle connection has no goroutine of this package, and an idle socket no maps of
//     its own.
//   - Whoever violates the protocol is disconnected: malformed packets, an event before
//     the answer to CONNECT or after DISCONNECT, a second CONNECT, a reserved event name, a
//     binary message that belongs to no packet. An unknown namespace is only refused.
//   - Shutdown closes transports, so that clients reconnect; it never sends a Socket.IO
//     disconnect, after which they would not.
//
// # Ending a connection
//
// The ways to end a connection differ in what the client does next. After
// [Socket.Disconnect] or a [*ConnectError] it stays away until its page connects again.
// [Socket.CloseTransport] and [ErrCloseTransport] look like a network failure: it
// reconnects by itself.
//
// # Concurrency
//
// [Server], [Namespace], [Socket], [Broadcast], [Packet] and [Event] are safe for
// concurrent use, and none of their methods waits for a client but [Socket.EmitAck];
// [Socket.Join] and [Socket.Leave] wait for [Recovery].Remember. What the application provides is called like this:
//
//   - [Middleware] and [Recovery].Admit: concurrently for different connections.
//   - OnConnect listeners, event handlers and OnDisconnect listeners: one at a time for
//     one connection, in this order, and concurrently for different connections. They may
//     block; then the events of that connection wait.
//   - OnDrain listeners: at any time; they must not block.
//
// A panic in any of them is logged and costs no other connection.
//
// # Protocol
//
// Section names in comments are those of the Socket.IO protocol document, revision 5.
// Where that is silent the reference is the Node.js server 4.8.
//
// # Differences from the reference server
//
//   - There are no volatile and no uncompressed events, no namespaces by pattern, no
//     acknowledgements of broadcasts, no adapter for several processes, and no
//     server-side join, leave or disconnect of a whole room: an application does these
//     over [Broadcast.FetchSockets].
//   - Two CONNECTs while middleware runs give one socket.
//   - Payloads that the protocol requires are required, and JavaScript's unusual spellings
//     of numbers are refused (differential_test.go lists every case).
//   - A connection whose last socket was disconnected is closed after Config.ConnectTimeout.
//   - An error of middleware that is no [*ConnectError] closes the transport instead of
//     being shown to the client.
//   - Events that came before the client left are still handled.
//   - [Recovery] reads the application's log instead of keeping packets in memory.
//   - The parser is chosen for each connection, not set for all.
//   - The attachments of a packet are bounded in number, in bytes together and in time, and
//     so are namespaces and rooms: see [Config].
//
// docs/conformance.md of the repository lists the suites and client libraries that were run
// against this server.
package socketio
