// Package engineio is an Engine.IO v4 server: sessions over HTTP long-polling
// and WebSocket, the upgrade from one to the other, and the heartbeat. It knows
// nothing of Socket.IO, which is one of the things that can be built on it.
//
// What it promises:
//
//   - Messages of one session reach its Receiver one at a time and in the order
//     they were sent, also across an upgrade. Closed is the last call and comes
//     exactly once.
//   - What a session sends arrives in order and once, also across an upgrade. A
//     Group stays contiguous: nothing but a client's own transport may come
//     between its messages. Only pings overtake, and only between groups, since
//     the client counts nothing else.
//   - Send, TrySend and SendVolatile never block and start no goroutine for a
//     plain TCP connection. One slow client costs its own bounded queue and
//     nobody else's time: workers try one non-blocking write, and what does not
//     fit is finished elsewhere.
//   - A client is slow when it takes nothing for Config.StallTimeout although
//     something waits for it, not when it is merely behind.
//   - Everything a client can make the server hold is bounded, for itself and for
//     all together, and every read and write has a deadline or a heartbeat behind
//     it. What all share is divided by package fair, by address and then by the
//     owner that the application names.
//   - A client that the application does not know yet may send little:
//     Session.Establish.
//   - When Shutdown returns nil, every goroutine the server started has ended.
//
// The section names in comments are those of the Engine.IO protocol document,
// version 4.1. Where that is silent the reference is the Node.js server 6.6.
// Known differences from that server: a query over 2 KiB or 32 parameters is 414 and
// more than 100 headers are 431; session ids have 24 characters; an answer holds at
// most 16 packets; methods other than GET and POST on a
// session are 405 instead of 500, a WebSocket message "1" closes the session at
// once instead of at the next heartbeat, runs of invalid UTF-8 in a POST body
// become one U+FFFD, a session that closes is not kept for a polling client that
// stays away, and Engine.IO 3, WebTransport and JSONP are not spoken.
package engineio
