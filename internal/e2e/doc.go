// Package e2e drives the whole program with clients that nobody here wrote.
//
// Its tests build the real binary once, start it on a free loopback port with
// an empty data folder, and speak to it with npm's socket.io-client in Node
// child processes, over polling, WebSocket and the upgrade between them. One of
// the clients (npm/oldpage.js) sends byte for byte what docs/contract.md#clients lists for
// the browsers that already exist; a matrix holds every minor version of the npm
// client since 3.0, and Python's, against the server.
//
// The harness promises:
//
//   - a program that starts is stopped at the end, has ended by itself with
//     exit code 0, and wrote no data race to its log;
//   - users are new for each test, so tests share a program and run beside
//     each other;
//   - nothing sleeps to wait for another process: every wait names what it
//     waits for and fails with what was seen instead.
package e2e
