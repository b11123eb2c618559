// Command zishangv3 is github.com/zishang520/socket.io/servers/socket/v3 v3.0.5,
// the successor of the library that the design card names, with the events of
// internal/bench. It is a module of its own: its QUIC version and v2.5.0's differ.
package main

import (
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync/atomic"

	"github.com/zishang520/socket.io/servers/socket/v3"
)

var clients atomic.Int64

func main() {
	ln, err := net.Listen("tcp", os.Args[len(os.Args)-1])
	if err != nil {
		log.Fatal(err)
	}
	io := socket.NewServer(nil, nil)
	if err := io.On("connection", func(args ...any) { serve(io, args[0].(*socket.Socket)) }); err != nil {
		log.Fatal(err)
	}
	http.Handle("/socket.io/", io.ServeHandler(nil))
	http.HandleFunc("/fire", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		id, _ := strconv.Atoi(q.Get("id"))
		size, _ := strconv.Atoi(q.Get("size"))
		_ = io.To(socket.Room(q.Get("room"))).Emit("tick", id, strings.Repeat("x", size))
		_, _ = w.Write([]byte("{}"))
	})
	fmt.Println("ready")
	log.Fatal(http.Serve(ln, nil))
}

func serve(io *socket.Server, s *socket.Socket) {
	clients.Add(1)
	_ = s.On("disconnect", func(...any) { clients.Add(-1) })
	_ = s.On("echo", func(args ...any) { ack(args, args[:len(args)-1]...) })
	_ = s.On("count", func(args ...any) { ack(args, clients.Load()) })
	_ = s.On("join", func(args ...any) {
		s.Join(socket.Room(args[0].(string)))
		ack(args)
	})
	_ = s.On("fire", func(args ...any) {
		filler := strings.Repeat("x", int(args[2].(float64)))
		_ = io.To(socket.Room(args[0].(string))).Emit("tick", args[1], filler)
	})
}

// ack calls the acknowledgement, the last of args.
func ack(args []any, values ...any) {
	if f, ok := args[len(args)-1].(socket.Ack); ok {
		f(values, nil)
	} else if f, ok := args[len(args)-1].(func([]any, error)); ok {
		f(values, nil)
	}
}
