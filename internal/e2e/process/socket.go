package process

import (
	"context"
	"fmt"
	"net"
	"strings"
	"time"

	"expenseflow/internal/socketio/socketiotest"
)

// dialPatience is how long connecting may take.
const dialPatience = 20 * time.Second

// DialRaw opens an Engine.IO session over WebSocket from the address local.
func DialRaw(addr, local string) (*socketiotest.Client, error) {
	return socketiotest.Dial(context.Background(), "http://"+addr, from(local))
}

// DialUpgrade opens the WebSocket of the polling session sid and says nothing.
func DialUpgrade(addr, local, sid string) (*socketiotest.Client, error) {
	o := from(local)
	o.Query = "&sid=" + sid
	return socketiotest.DialSilent(context.Background(), "http://"+addr, o)
}

// Dial opens a session and signs in.
func Dial(addr, local, token string) (*socketiotest.Client, error) {
	c, err := DialRaw(addr, local)
	if err != nil {
		return nil, err
	}
	answer, err := c.Connect(fmt.Sprintf(`{"token":%q}`, token))
	if err == nil && !strings.HasPrefix(answer, "40") {
		err = fmt.Errorf("%.100s", answer)
	}
	if err != nil {
		_ = c.Close()
		return nil, err
	}
	return c, nil
}

func from(local string) socketiotest.Options {
	return socketiotest.Options{Dialer: socketiotest.From(local, dialPatience)}
}

// DialerFrom connects from the address local.
func DialerFrom(local string) *net.Dialer {
	return &net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(local)}, Timeout: dialPatience}
}
