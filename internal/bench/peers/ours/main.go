// Command ours is internal/socketio with the events of internal/bench.
package main

import (
	"context"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"expenseflow/internal/engineio"
	"expenseflow/internal/socketio"
)

var clients atomic.Int64

func main() {
	ln, err := net.Listen("tcp", os.Args[len(os.Args)-1])
	if err != nil {
		log.Fatal(err)
	}
	io := socketio.New(socketio.Config{
		ReleaseHandshake: true,
		// As much as the application lets wait for one socket (SOCKET_QUEUE_BYTES).
		Engine: engineio.Config{MaxQueueBytes: 1 << 20},
	})
	root := io.Of("/")
	listen(root)
	http.Handle("/socket.io/", io)
	http.HandleFunc("/fire", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		id, _ := strconv.Atoi(q.Get("id"))
		size, _ := strconv.Atoi(q.Get("size"))
		_ = root.To(q.Get("room")).Emit("tick", id, strings.Repeat("x", size))
		_, _ = w.Write([]byte("{}"))
	})
	fmt.Println("ready")
	log.Fatal(http.Serve(ln, nil))
}

// listen adds the events of internal/bench for all sockets at once.
func listen(root *socketio.Namespace) {
	root.OnConnect(func(s *socketio.Socket) {
		clients.Add(1)
		s.OnDisconnect(func(string) { clients.Add(-1) })
	})
	root.On("echo", func(_ context.Context, e *socketio.Event) { _ = e.Ack(e.Values()...) })
	root.On("count", func(_ context.Context, e *socketio.Event) { _ = e.Ack(clients.Load()) })
	root.On("join", func(_ context.Context, e *socketio.Event) {
		var room string
		if e.Decode(0, &room) == nil && e.Socket().Join(room) == nil {
			_ = e.Ack()
		}
	})
	root.On("fire", func(_ context.Context, e *socketio.Event) { fire(root, e) })
}

func fire(root *socketio.Namespace, e *socketio.Event) {
	var room string
	var id, size int
	if e.Decode(0, &room) == nil && e.Decode(1, &id) == nil && e.Decode(2, &size) == nil {
		_ = root.To(room).Emit("tick", id, strings.Repeat("x", size))
	}
}
