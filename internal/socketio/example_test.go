package socketio_test

import (
	"context"
	"log"
	"net/http"

	"expenseflow/internal/socketio"
)

// A chat: whoever knows a name may join, says something to everybody in a room,
// and learns how many heard it.
func Example() {
	io := socketio.New(socketio.Config{ServeClient: true})
	chat := io.Of("/chat")

	chat.Use(func(_ context.Context, s *socketio.Socket) error {
		name := s.Handshake().Query.Get("name")
		if name == "" {
			return &socketio.ConnectError{Message: "name required"}
		}
		s.SetData(name)
		return nil
	})
	chat.OnConnect(func(s *socketio.Socket) {
		_ = s.Join("lobby")
		s.OnDisconnect(func(reason string) { _ = chat.To("lobby").Emit("left", s.Data(), reason) })
	})
	chat.On("say", func(_ context.Context, e *socketio.Event) {
		var text string
		if err := e.Decode(0, &text); err != nil {
			_ = e.Ack(map[string]string{"error": err.Error()})
			return
		}
		others := e.Socket().To("lobby")
		_ = others.Emit("said", e.Socket().Data(), text)
		_ = e.Ack(len(others.FetchSockets()))
	})

	log.Fatal(http.ListenAndServe("127.0.0.1:3000", io))
}
