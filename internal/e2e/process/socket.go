package process

import (
	"fmt"
	"net"
	"time"

	"github.com/gorilla/websocket"
)

// A Socket is a Socket.IO client over a WebSocket, reduced to what attackers and
// their victims need.
type Socket struct{ *websocket.Conn }

// DialRaw opens an Engine.IO session over WebSocket from the address local and
// reads its open packet.
func DialRaw(addr, local string) (*Socket, error) {
	c, err := dial(addr, local, "")
	if err != nil {
		return nil, err
	}
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, _, err := c.ReadMessage(); err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

// DialUpgrade opens the WebSocket of the polling session sid and says nothing.
func DialUpgrade(addr, local, sid string) (*Socket, error) { return dial(addr, local, "&sid="+sid) }

func dial(addr, local, query string) (*Socket, error) {
	d := websocket.Dialer{
		NetDial: DialerFrom(local).Dial, HandshakeTimeout: 20 * time.Second,
		ReadBufferSize: 4096, WriteBufferSize: 4096,
	}
	c, res, err := d.Dial("ws://"+addr+"/socket.io/?EIO=4&transport=websocket"+query, nil)
	if err != nil {
		if res != nil {
			err = fmt.Errorf("%d", res.StatusCode)
		}
		return nil, err
	}
	return &Socket{c}, nil
}

// Dial opens a session and signs in.
func Dial(addr, local, token string) (*Socket, error) {
	c, err := DialRaw(addr, local)
	if err != nil {
		return nil, err
	}
	if err := c.Say(fmt.Sprintf(`40{"token":%q}`, token)); err != nil {
		_ = c.Close()
		return nil, err
	}
	_, reply, err := c.ReadMessage()
	if err == nil && string(reply[:2]) != "40" {
		err = fmt.Errorf("%.100s", reply)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, c.SetReadDeadline(time.Time{})
}

// Say sends one text packet.
func (c *Socket) Say(packet string) error {
	return c.WriteMessage(websocket.TextMessage, []byte(packet))
}

// Hear answers pings and hands over all other packets until the connection ends.
func (c *Socket) Hear(hear func([]byte)) {
	for {
		_, b, err := c.ReadMessage()
		switch {
		case err != nil:
			return
		case string(b) == "2":
			if c.Say("3") != nil {
				return
			}
		default:
			hear(b)
		}
	}
}

// DialerFrom connects from the address local.
func DialerFrom(local string) *net.Dialer {
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(local)}, Timeout: 20 * time.Second}
}
