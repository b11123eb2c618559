package main

import (
	"net/http"
	"time"

	"expenseflow/internal/engineio"
)

// newEngine serves Engine.IO at /engine.io/ and echoes every message.
func newEngine() protocol {
	server := engineio.New(engineio.Config{
		PingInterval: 300 * time.Millisecond,
		PingTimeout:  200 * time.Millisecond,
		MaxPayload:   1_000_000,
		CORS:         &engineio.CORS{Origins: []string{"*"}},
	}, echo{})
	mux := http.NewServeMux()
	mux.Handle("/engine.io/", server)
	return mounted{mux, server}
}

// mounted is a protocol server at its path.
type mounted struct {
	http.Handler
	*engineio.Server
}

func (m mounted) ServeHTTP(w http.ResponseWriter, r *http.Request) { m.Handler.ServeHTTP(w, r) }

// echo sends every message back.
type echo struct{}

func (echo) Open(s *engineio.Session) engineio.Receiver {
	s.ReleaseHandshake()
	return echoing{s}
}

type echoing struct{ session *engineio.Session }

func (e echoing) Message(m engineio.Message)    { e.session.Send(engineio.NewGroup(m)) }
func (e echoing) Drained()                      {}
func (e echoing) Closed(engineio.Reason, error) {}
