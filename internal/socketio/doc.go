// Package socketio is a Socket.IO server: revision 5 of the protocol, which
// clients of Socket.IO 3 and 4 speak, on top of package engineio.
//
// What it promises:
//
//   - Events of one connection are handled one at a time, in the order in which
//     they arrived, on a goroutine that is not the reader: acknowledgements and
//     heartbeats are taken meanwhile. Connections run beside each other. A
//     connection that sends faster than its handlers work is read more slowly.
//   - What is sent to one connection arrives in the order in which Emit, Send and
//     the broadcasts were called, by one goroutine, and never before the answer
//     to its CONNECT.
//   - One broadcast reaches a socket at most once, however many of the rooms the
//     socket is in. It is encoded once and holds no lock while it is queued.
//   - An acknowledgement answers the event that asked for it, once: an id of 31
//     bits comes again after two billion events of the process, and two processes
//     start far apart, so a late answer from an older connection matches nothing.
//   - A connection speaks msgpack if its first packet is binary, and the text of
//     the protocol document otherwise. Both kinds hear the same broadcasts.
//   - A connection is established (engineio.Session.Establish) while it has a
//     socket.
//   - An idle connection has no goroutine of this package, and an idle socket no
//     maps of its own.
//   - Whoever breaks the protocol is closed: malformed packets, an event before
//     the answer to CONNECT or after DISCONNECT, a second CONNECT, a reserved
//     event name, a stray binary frame. An unknown namespace is only refused.
//   - Shutdown closes transports, so that clients reconnect; it never sends a
//     Socket.IO disconnect, after which they would not.
//
// Three ways to end a connection differ in what the client does next.
// [Socket.Disconnect] and a [*ConnectError] are definitive: the client stays
// away until its page asks again. [Socket.CloseTransport] and
// [ErrCloseTransport] look like a broken line: it comes back by itself.
//
// The section names in comments are those of the Socket.IO protocol document,
// revision 5. Where that is silent the reference is the Node.js server 4.8.
// Known differences from that server: two CONNECTs while middleware runs give one
// socket; payloads that the protocol demands are demanded, and JavaScript's odd
// numbers refused (differential_test.go lists them all); a connection whose last
// socket was disconnected is closed after the connect timeout; namespaces of a
// pattern are forgotten when they are empty, and the pattern is asked for each
// CONNECT; an error of middleware that is no ConnectError closes the transport
// instead of being shown to the client; events that came before the client went
// are handled; recovery reads the application's log; the parser is no setting; the
// attachments of a packet are bounded in number, in bytes together and in time.
//
// Everything may be called by several goroutines at once, unless it says
// otherwise.
package socketio
