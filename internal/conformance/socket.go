package main

import (
	"context"
	"time"

	"expenseflow/internal/engineio"
	"expenseflow/internal/socketio"
)

// newSocket is the server that the Socket.IO v5 suite expects: the settings
// and handlers of the section "Test suite" of the protocol document.
func newSocket() protocol {
	s := socketio.New(socketio.Config{
		ConnectTimeout: time.Second,
		ServeClient:    true,
		Engine: engineio.Config{
			PingInterval: 300 * time.Millisecond,
			PingTimeout:  200 * time.Millisecond,
			MaxPayload:   1_000_000,
			CORS:         &engineio.CORS{Origins: []string{"*"}},
		},
	})
	s.Of("/").OnConnect(sendAuth)
	s.Of("/").On("message", messageBack)
	s.Of("/").On("message-with-ack", acknowledge)
	s.Of("/custom").OnConnect(sendAuth)
	return s
}

// sendAuth tells a client what it said in its CONNECT.
func sendAuth(s *socketio.Socket) { _ = s.Emit("auth", s.Handshake().Auth) }

// messageBack sends the arguments back in an event.
func messageBack(_ context.Context, e *socketio.Event) {
	_ = e.Socket().Emit("message-back", e.Values()...)
}

// acknowledge sends the arguments back in the answer.
func acknowledge(_ context.Context, e *socketio.Event) { _ = e.Ack(e.Values()...) }
