package socketio_test

import (
	"context"
	"fmt"
	"log"
	"net/http/httptest"
	"time"

	"expenseflow/internal/socketio"
	"expenseflow/internal/socketio/socketiotest"
)

// chat is a namespace's handlers: whoever gives a name may join, says something to
// everybody else in the room, and is told how many received it.
func chat(n *socketio.Namespace) {
	n.Use(func(_ context.Context, s *socketio.Socket) error {
		var name string
		if name = s.Handshake().Query.Get("name"); name == "" {
			return &socketio.ConnectError{Message: "name required"}
		}
		s.SetData(name)
		return nil
	})
	n.OnConnect(func(s *socketio.Socket) {
		_ = s.Join("lobby")
		s.OnDisconnect(func(string) { _ = n.To("lobby").Emit("left", s.Data()) })
		_ = s.Emit("welcome")
	})
	n.On("say", func(_ context.Context, e *socketio.Event) {
		var text string
		if err := e.Decode(0, &text); err != nil {
			_ = e.Ack(map[string]string{"error": err.Error()})
			return
		}
		others := e.Socket().To("lobby")
		_ = others.Emit("said", e.Socket().Data(), text)
		_ = e.Ack(len(others.FetchSockets()))
	})
}

// A chat server with two clients. Browsers connect with npm's socket.io-client, which the
// server can serve itself (Config.ServeClient).
func Example() {
	io := socketio.New(socketio.Config{})
	chat(io.Of("/"))
	h := httptest.NewServer(io) // or http.ListenAndServe(addr, io)
	defer h.Close()

	ann, bob := join(h.URL, "ann"), join(h.URL, "bob")
	fmt.Println("ann received", receive(ann))
	fmt.Println("bob received", receive(bob)) // OnConnect has run: both are in the room
	send(ann, `421["say","hello"]`)           // 4: a message, 2: an event, 1: its id
	fmt.Println("ann received", receive(ann))
	fmt.Println("bob received", receive(bob))
	_ = ann.Close()
	fmt.Println("bob received", receive(bob))

	_ = bob.Close()
	if err := io.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output:
	// ann received 42["welcome"]
	// bob received 42["welcome"]
	// ann received 431[1]
	// bob received 42["said","ann","hello"]
	// bob received 42["left","ann"]
}

// The server may ask a client and wait for its answer.
func ExampleSocket_EmitAck() {
	io := socketio.New(socketio.Config{})
	answers := make(chan string)
	io.Of("/").OnConnect(func(s *socketio.Socket) {
		s.On("ready", func(ctx context.Context, _ *socketio.Event) {
			ctx, cancel := context.WithTimeout(ctx, time.Second)
			defer cancel()
			answer, err := s.EmitAck(ctx, "what is 6 times 7?")
			answers <- fmt.Sprintf("%s %v", answer, err)
		})
	})
	h := httptest.NewServer(io)
	defer h.Close()

	client := join(h.URL, "")
	send(client, `42["ready"]`)
	question := receive(client) // 42<id>["what is 6 times 7?"]
	var id int
	_, _ = fmt.Sscanf(question, "42%d", &id)
	send(client, fmt.Sprintf(`43%d[42]`, id))
	fmt.Println(<-answers)

	_ = client.Close()
	if err := io.Shutdown(context.Background()); err != nil {
		log.Fatal(err)
	}
	// Output: [42] <nil>
}

// join connects a client.
func join(url, name string) *socketiotest.Client {
	c, err := socketiotest.Dial(context.Background(), url, socketiotest.Options{Query: "&name=" + name})
	if err != nil {
		log.Fatal(err)
	}
	if _, err := c.Connect(""); err != nil {
		log.Fatal(err)
	}
	return c
}

func send(c *socketiotest.Client, packet string) {
	if err := c.Send(packet); err != nil {
		log.Fatal(err)
	}
}

func receive(c *socketiotest.Client) string {
	packet, err := c.Receive()
	if err != nil {
		log.Fatal(err)
	}
	return packet
}
