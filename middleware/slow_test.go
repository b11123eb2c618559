package middleware

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
)

// pipes is a listener whose connections are in memory, so that time may be
// synctest's.
type pipes chan net.Conn

func (p pipes) Accept() (net.Conn, error) {
	c, ok := <-p
	if !ok {
		return nil, net.ErrClosed
	}
	return c, nil
}

func (p pipes) Close() error   { return nil }
func (p pipes) Addr() net.Addr { return &net.TCPAddr{} }

// served answers one connection with h and gives the client's end of it.
func served(t *testing.T, h http.Handler) (client net.Conn, stop func()) {
	t.Helper()
	ln := make(pipes, 1)
	server := &http.Server{Handler: h}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(ln)
	}()
	client, other := net.Pipe()
	ln <- other
	return client, func() {
		close(ln)
		<-ended
		_ = client.Close()
		_ = server.Close()
	}
}

func TestBodyThatStopsArrivingIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		result := make(chan error, 1)
		e := newEcho(Body(MaxBody, BodyLongest, NewBodyRoom()))
		e.POST("/", func(c echo.Context) error {
			_, err := io.ReadAll(c.Request().Body)
			result <- err
			return err
		})
		client, stop := served(t, e)
		defer stop()
		began := time.Now()
		fmt.Fprint(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf of it")
		if err := <-result; err == nil || time.Since(began) != bodyPatience {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// A byte now and then keeps no body alive: others wait for the room that it announced.
func TestBodyThatTricklesIsGivenUpToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		result := make(chan error, 1)
		e := newEcho(Body(MaxBody, BodyLongest, NewBodyRoom()))
		e.POST("/", func(c echo.Context) error {
			_, err := io.ReadAll(c.Request().Body)
			result <- err
			return err
		})
		client, stop := served(t, e)
		defer stop()
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		trickled := make(chan struct{})
		go func() {
			defer close(trickled)
			fmt.Fprint(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
			for ctx.Err() == nil {
				time.Sleep(bodyPatience - time.Second)
				fmt.Fprint(client, "x")
			}
		}()
		if err := <-result; err == nil || time.Since(began) != bodyPatience {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		cancel()
		_ = client.Close()
		<-trickled
	})
}

// The deadline of a body that arrived whole must not be taken for the client's
// leaving while the handler still works.
func TestLongWorkAfterTheBodyIsNotCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEcho(Body(MaxBody, BodyLongest, NewBodyRoom()))
		e.POST("/", func(c echo.Context) error {
			if _, err := io.ReadAll(c.Request().Body); err != nil {
				return err
			}
			time.Sleep(10 * bodyPatience)
			if err := c.Request().Context().Err(); err != nil {
				t.Errorf("the request was cancelled: %v", err)
			}
			return c.String(http.StatusOK, "done")
		})
		client, stop := served(t, e)
		defer stop()
		fmt.Fprint(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\n\r\n{}")
		res, err := http.ReadResponse(bufio.NewReader(client), nil)
		if err != nil || res.StatusCode != http.StatusOK {
			t.Errorf("%v, %v", res, err)
		}
	})
}

// A body that was announced and never comes must not hold its connection, whether
// somebody reads it or net/http does, before it answers.
func TestConnectionWhoseBodyNeverComesEnds(t *testing.T) {
	e := newEcho()
	e.POST("/read", func(c echo.Context) error { _, err := io.ReadAll(c.Request().Body); return err }, Body(MaxBody, BodyLongest, NewBodyRoom()))
	e.Any("/unread", func(c echo.Context) error { return c.String(http.StatusOK, "fine") })
	for _, request := range []string{"POST /read", "GET /unread", "POST /unread"} {
		synctest.Test(t, func(t *testing.T) {
			client, stop := served(t, Arriving(e))
			defer stop()
			began := time.Now()
			_ = client.SetReadDeadline(began.Add(time.Hour))
			fmt.Fprint(client, request+" HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
			_, err := io.Copy(io.Discard, client)
			if d := time.Since(began); err != nil || d > bodyPatience+time.Second {
				t.Errorf("%s: over after %v: %v", request, d, err)
			}
		})
	}
}
