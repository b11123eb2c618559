package engineio_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"strings"

	"github.com/gorilla/websocket"

	"expenseflow/internal/engineio"
)

// greeter is a Handler that greets each client and answers its messages.
type greeter struct{}

func (greeter) Open(s *engineio.Session) engineio.Receiver {
	s.Send(message("welcome"))
	return answering{s}
}

// answering is the Receiver of one session.
type answering struct{ session *engineio.Session }

func (a answering) Message(m engineio.Message) { a.session.Send(message("you said " + string(m.Data))) }

func (a answering) Drained() {} // TrySend, which a full queue refuses, is not used

func (a answering) Closed(engineio.Reason, error) {}

func message(s string) *engineio.Group { return engineio.NewGroup(engineio.Message{Data: []byte(s)}) }

// A server, and a client that speaks the protocol to it over WebSocket: each packet is a
// text whose first character is its type.
func Example() {
	server := engineio.New(engineio.Config{}, greeter{})
	h := httptest.NewServer(server) // or http.ListenAndServe(addr, server)
	defer h.Close()

	address := "ws" + strings.TrimPrefix(h.URL, "http") + "/engine.io/?EIO=4&transport=websocket"
	conn, _, err := websocket.DefaultDialer.Dial(address, nil)
	if err != nil {
		log.Fatal(err)
	}
	receive := func() string {
		_, packet, err := conn.ReadMessage()
		if err != nil {
			log.Fatal(err)
		}
		return string(packet)
	}
	fmt.Println(receive()[:8]) // the handshake, with the session's id
	fmt.Println(receive())
	if err := conn.WriteMessage(websocket.TextMessage, []byte("4hello")); err != nil {
		log.Fatal(err)
	}
	fmt.Println(receive())

	_ = conn.Close()
	if err := server.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// 0{"sid":
	// 4welcome
	// 4you said hello
}
