package main

import (
	"fmt"
	"net"
	"time"

	"github.com/gorilla/websocket"
)

// A wsClient is a Socket.IO client over a WebSocket, reduced to what floods and
// their victims need.
type wsClient struct{ *websocket.Conn }

// dialRaw opens an Engine.IO session over WebSocket from the address local and
// reads its open packet.
func dialRaw(addr, local string) (*wsClient, error) {
	d := websocket.Dialer{
		NetDial: dialerFrom(local).Dial, HandshakeTimeout: 20 * time.Second,
		ReadBufferSize: 4096, WriteBufferSize: 4096,
	}
	c, res, err := d.Dial("ws://"+addr+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		if res != nil {
			err = fmt.Errorf("%d", res.StatusCode)
		}
		return nil, err
	}
	_ = c.SetReadDeadline(time.Now().Add(20 * time.Second))
	if _, _, err := c.ReadMessage(); err != nil {
		_ = c.Close()
		return nil, err
	}
	return &wsClient{c}, nil
}

// dialSocket signs in as well.
func dialSocket(addr, local, token string) (*wsClient, error) {
	c, err := dialRaw(addr, local)
	if err != nil {
		return nil, err
	}
	if err := c.say(fmt.Sprintf(`40{"token":%q}`, token)); err != nil {
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

func (c *wsClient) say(packet string) error {
	return c.WriteMessage(websocket.TextMessage, []byte(packet))
}

// read answers pings and hands over all other packets until the connection ends.
func (c *wsClient) read(hear func([]byte)) {
	for {
		_, b, err := c.ReadMessage()
		switch {
		case err != nil:
			return
		case string(b) == "2":
			if c.say("3") != nil {
				return
			}
		default:
			hear(b)
		}
	}
}

func dialerFrom(local string) *net.Dialer {
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(local)}, Timeout: 20 * time.Second}
}
