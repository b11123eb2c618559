// Command floor is the least that any server on this machine must spend: it
// speaks just enough of the protocol for internal/bench, keeps no queue, and
// writes one prebuilt frame per delivery straight to the socket.
package main

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"log"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"github.com/gorilla/websocket"
)

type room struct {
	mu      sync.Mutex
	members []net.Conn
}

var (
	rooms   sync.Map // name to *room
	clients sync.Map
)

func main() {
	upgrader := websocket.Upgrader{ReadBufferSize: 1024, WriteBufferSize: 256}
	ln, err := net.Listen("tcp", os.Args[len(os.Args)-1])
	if err != nil {
		log.Fatal(err)
	}
	http.HandleFunc("/socket.io/", func(w http.ResponseWriter, r *http.Request) {
		if ws, err := upgrader.Upgrade(w, r, nil); err == nil {
			go serve(ws)
		}
	})
	http.HandleFunc("/fire", func(w http.ResponseWriter, r *http.Request) {
		q := r.URL.Query()
		size, _ := strconv.Atoi(q.Get("size"))
		fire(strconv.Quote(q.Get("room")), q.Get("id"), size)
		_, _ = w.Write([]byte("{}"))
	})
	fmt.Println("ready")
	log.Fatal(http.Serve(ln, nil))
}

func serve(ws *websocket.Conn) {
	clients.Store(ws, true)
	defer clients.Delete(ws)
	defer ws.Close()
	say(ws.NetConn(), `0{"sid":"floor","upgrades":[],"pingInterval":25000,"pingTimeout":20000,"maxPayload":1000000}`)
	for {
		_, msg, err := ws.ReadMessage()
		if err != nil {
			return
		}
		answer(ws.NetConn(), string(msg))
	}
}

// answer handles CONNECT and the events of internal/bench.
func answer(c net.Conn, msg string) {
	if strings.HasPrefix(msg, "40") {
		say(c, `40{"sid":"floor"}`)
		return
	}
	body := strings.TrimLeft(msg, "0123456789")
	id := strings.TrimPrefix(msg[:len(msg)-len(body)], "42")
	var args []json.RawMessage
	if json.Unmarshal([]byte(body), &args) != nil || len(args) == 0 {
		return
	}
	switch string(args[0]) {
	case `"echo"`:
		out, _ := json.Marshal(args[1:])
		say(c, "43"+id+string(out))
	case `"count"`:
		n := 0
		clients.Range(func(any, any) bool { n++; return true })
		say(c, fmt.Sprintf("43%s[%d]", id, n))
	case `"join"`:
		r := roomNamed(string(args[1]))
		r.mu.Lock()
		r.members = append(r.members, c)
		r.mu.Unlock()
		say(c, "43"+id+"[]")
	case `"fire"`:
		var size int
		_ = json.Unmarshal(args[3], &size)
		fire(string(args[1]), string(args[2]), size)
	}
}

func roomNamed(name string) *room {
	r, _ := rooms.LoadOrStore(name, &room{})
	return r.(*room)
}

// fire broadcasts to a room; room and id are JSON.
func fire(room, id string, size int) {
	frame := text(`42["tick",` + id + `,"` + strings.Repeat("x", size) + `"]`)
	r := roomNamed(room)
	r.mu.Lock()
	defer r.mu.Unlock()
	for _, c := range r.members {
		_, _ = c.Write(frame)
	}
}

func say(c net.Conn, s string) { _, _ = c.Write(text(s)) }

// text frames s, unmasked and unfragmented.
func text(s string) []byte {
	b := []byte{0x81}
	switch {
	case len(s) < 126:
		b = append(b, byte(len(s)))
	case len(s) < 1<<16:
		b = append(b, 126, byte(len(s)>>8), byte(len(s)))
	default:
		b = binary.BigEndian.AppendUint64(append(b, 127), uint64(len(s)))
	}
	return append(b, s...)
}
