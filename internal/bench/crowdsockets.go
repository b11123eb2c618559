package main

import (
	"bufio"
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// crowdSockets are the sockets of a process of clients. Each comes back as npm's client does
// when its connection ends: after a second or so, later each time, with its position.
type crowdSockets struct {
	crowdConfig
	dialling chan struct{} // has a token for each connection that is being made

	mu     sync.Mutex
	status status
	event  []byte // the beginning of the packet that is counted
	phase  int    // how many events were counted before this one
}

// dialWidth is how many connections a process of clients makes at once.
const dialWidth = 64

// runCrowdSockets is the whole program of a process of clients.
func runCrowdSockets(in io.Reader, out io.Writer) error {
	lines := bufio.NewReader(in)
	c := &crowdSockets{dialling: make(chan struct{}, dialWidth)}
	first, err := lines.ReadBytes('\n')
	if err != nil {
		return err
	}
	if err := json.Unmarshal(first, &c.crowdConfig); err != nil {
		return err
	}
	go c.report(out)
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			return err // the bench has ended
		}
		if order := line[:len(line)-1]; order == "connect" {
			for i := range c.Users {
				go (&crowdSocket{crowd: c, n: i}).live()
			}
		} else {
			c.count(order)
		}
	}
}

// report says again and again how things stand.
func (c *crowdSockets) report(out io.Writer) {
	for range time.Tick(statusEvery) {
		c.mu.Lock()
		line, _ := json.Marshal(c.status) // numbers and a text
		c.mu.Unlock()
		if _, err := out.Write(append(line, '\n')); err != nil {
			os.Exit(1)
		}
	}
}

// count counts an event from now on.
func (c *crowdSockets) count(event string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.event, c.phase = []byte(`2["`+event+`",`), c.phase+1
	c.status.Heard, c.status.Doubled, c.status.LastHeard = 0, 0, 0
}

// A crowdSocket is one user's socket, through all of its connections.
type crowdSocket struct {
	crowd       *crowdSockets
	n           int    // which user it is
	pid, offset string // where it was
	phase       int    // of the event that it heard last
}

// live keeps the socket connected.
func (s *crowdSocket) live() {
	const shortest, longest = time.Second, 5 * time.Second // reconnectionDelay and reconnectionDelayMax
	for wait := time.Duration(0); ; wait = min(max(shortest, 2*wait), longest) {
		time.Sleep(wait/2 + rand.N(wait+1))
		conn, err := s.connect()
		if err != nil {
			s.crowd.note(0, err)
			continue
		}
		s.crowd.note(1, nil)
		conn.onPacket = s.hear
		err = conn.readLoop()
		_ = conn.Close()
		s.crowd.note(-1, err)
		wait = 0
	}
}

func (c *crowdSockets) note(connected int, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.status.Connected += connected
	if connected > 0 {
		c.status.LastConnected = time.Now().UnixMilli()
	}
	if err != nil {
		c.status.Trouble = err.Error()
	}
}

func (s *crowdSocket) connect() (*conn, error) {
	c := s.crowd
	c.dialling <- struct{}{}
	defer func() { <-c.dialling }()
	auth := fmt.Sprintf(`{"token":%q,"deviceId":"device_%d"`, tokenOf(c.Users[s.n]), s.n)
	if s.pid != "" {
		auth += fmt.Sprintf(`,"pid":%q,"offset":%q`, s.pid, s.offset)
	}
	conn, err := dialFrom(sourceOf(c.Member, s.n/1000), c.Addr, auth+"}")
	if err != nil {
		return nil, err
	}
	var reply struct{ PID string }
	err = json.Unmarshal(conn.reply, &reply)
	s.pid, conn.reply = reply.PID, nil
	return conn, err
}

// hear takes a packet. The offset is the last argument of every event that is in a log.
func (s *crowdSocket) hear(packet []byte) {
	c := s.crowd
	if end, ok := bytes.CutSuffix(packet, []byte(`"]`)); ok && bytes.HasPrefix(packet, []byte(`2["expense_`)) {
		s.offset = string(end[bytes.LastIndexByte(end, '"')+1:])
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	switch {
	case c.event == nil || !bytes.HasPrefix(packet, c.event):
	case s.phase == c.phase:
		c.status.Doubled++
	default:
		s.phase = c.phase
		c.status.Heard++
		c.status.LastHeard = time.Now().UnixMilli()
	}
}

// dialFrom is dial from an address of this machine, with a small buffer and the answer to
// CONNECT. The port is chosen when it is known where the connection goes, so that an address
// has as many ports as there are for each destination.
func dialFrom(source net.IP, addr, auth string) (*conn, error) {
	dialer := net.Dialer{
		Timeout: connectTimeout, LocalAddr: &net.TCPAddr{IP: source}, KeepAlive: -1,
		Control: func(_, _ string, raw syscall.RawConn) (err error) {
			controlErr := raw.Control(func(fd uintptr) {
				err = unix.SetsockoptInt(int(fd), unix.IPPROTO_IP, unix.IP_BIND_ADDRESS_NO_PORT, 1)
			})
			if err == nil {
				err = controlErr
			}
			return err
		},
	}
	nc, err := dialer.Dial("tcp", addr)
	if err != nil {
		return nil, err
	}
	const buffer = 512
	c := &conn{Conn: nc, br: bufio.NewReaderSize(nc, buffer)}
	if err := c.handshake(addr, auth); err != nil {
		_ = nc.Close()
		return nil, err
	}
	return c, nil
}
