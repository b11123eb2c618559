package middleware

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"testing"
	"testing/synctest"
	"time"

	"github.com/labstack/echo/v4"
)

// pipes is a listener with connections in memory, for synctest.
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

// served serves one connection with h and returns the client's end of it.
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

// bodyReader serves one connection with a handler that reads the body, which ends with
// result.
func bodyReader(t *testing.T) (client net.Conn, result chan error, stop func()) {
	t.Helper()
	result = make(chan error, 1)
	e := newEcho(LimitBody(MaxBody, MaxBodyTime, NewBodyMemory()))
	e.POST("/", func(c echo.Context) error {
		_, err := io.ReadAll(c.Request().Body)
		result <- err
		return err
	})
	client, stop = served(t, e)
	return client, result, stop
}

func TestBodyThatStopsArrivingIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, result, stop := bodyReader(t)
		defer stop()
		began := time.Now()
		fmt.Fprint(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nhalf of it")
		if err := <-result; err == nil || time.Since(began) != bodyReadTimeout {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
	})
}

// A body that sends a byte now and then is ended, because others wait for its memory.
func TestBodyThatTricklesIsGivenUpToo(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		client, result, stop := bodyReader(t)
		defer stop()
		began := time.Now()
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		trickled := make(chan struct{})
		go func() {
			defer close(trickled)
			fmt.Fprint(client, "POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 100000\r\n\r\n")
			for ctx.Err() == nil {
				time.Sleep(bodyReadTimeout - time.Second)
				fmt.Fprint(client, "x")
			}
		}()
		if err := <-result; err == nil || time.Since(began) != bodyReadTimeout {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		cancel()
		_ = client.Close()
		<-trickled
	})
}

// The deadline of a complete body must not look like a disconnect of the client while the
// handler runs.
func TestLongWorkAfterTheBodyIsNotCancelled(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		e := newEcho(LimitBody(MaxBody, MaxBodyTime, NewBodyMemory()))
		e.POST("/", func(c echo.Context) error {
			if _, err := io.ReadAll(c.Request().Body); err != nil {
				return err
			}
			time.Sleep(10 * bodyReadTimeout)
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

// A body that was announced and never arrives must not occupy its connection, whether the
// handler reads it or net/http.
func TestConnectionWhoseBodyNeverComesEnds(t *testing.T) {
	e := newEcho()
	e.POST("/read", func(c echo.Context) error { _, err := io.ReadAll(c.Request().Body); return err },
		LimitBody(MaxBody, MaxBodyTime, NewBodyMemory()))
	e.Any("/unread", func(c echo.Context) error { return c.String(http.StatusOK, "fine") })
	for _, request := range []string{"POST /read", "GET /unread", "POST /unread"} {
		synctest.Test(t, func(t *testing.T) {
			client, stop := served(t, BodyDeadline(e))
			defer stop()
			began := time.Now()
			_ = client.SetReadDeadline(began.Add(time.Hour))
			fmt.Fprint(client, request+" HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n")
			_, err := io.Copy(io.Discard, client)
			if d := time.Since(began); err != nil || d > bodyReadTimeout+time.Second {
				t.Errorf("%s: over after %v: %v", request, d, err)
			}
		})
	}
}

// The deadline of a body is that of its stream: by HTTP/2 it ends that request, while another of
// the same connection goes on.
func TestBodyOfHTTP2ThatStopsArrivingIsGivenUp(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		result := make(chan error, 1)
		e := newEcho(LimitBody(MaxBody, MaxPublicBodyTime, NewBodyMemory()))
		e.POST("/", func(c echo.Context) error {
			_, err := io.ReadAll(c.Request().Body)
			result <- err
			return c.NoContent(http.StatusRequestTimeout)
		})
		e.GET("/", func(c echo.Context) error {
			time.Sleep(2 * MaxPublicBodyTime)
			return c.NoContent(http.StatusNoContent)
		})
		client, stop := servedByHTTP2(t, e)
		defer stop()
		other := make(chan int)
		go func() {
			res, err := client.Get("http://pipe/")
			if err != nil {
				t.Error(err)
			}
			_ = res.Body.Close()
			other <- res.StatusCode
		}()
		began := time.Now()
		body, write := io.Pipe()
		defer write.Close()
		go func() { _, _ = io.WriteString(write, "half of it") }()
		res, err := client.Post("http://pipe/", "text/plain", body)
		if err != nil || res.ProtoMajor != 2 || res.StatusCode != http.StatusRequestTimeout {
			t.Fatalf("%v, %v", res, err)
		}
		_ = res.Body.Close()
		if err := <-result; !errors.Is(err, os.ErrDeadlineExceeded) || time.Since(began) != MaxPublicBodyTime {
			t.Errorf("after %v: %v", time.Since(began), err)
		}
		if code := <-other; code != http.StatusNoContent {
			t.Errorf("the other request: %d", code)
		}
	})
}

// servedByHTTP2 serves h on connections that are pipes.
func servedByHTTP2(t *testing.T, h http.Handler) (client *http.Client, stop func()) {
	t.Helper()
	protocols := new(http.Protocols)
	protocols.SetUnencryptedHTTP2(true)
	ln := make(pipes)
	server := &http.Server{Handler: BodyDeadline(h), Protocols: protocols}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		_ = server.Serve(ln)
	}()
	transport := &http.Transport{Protocols: protocols, DialContext: func(context.Context, string, string) (net.Conn, error) {
		here, there := net.Pipe()
		ln <- there
		return here, nil
	}}
	return &http.Client{Transport: transport}, func() {
		transport.CloseIdleConnections()
		close(ln)
		<-ended
		_ = server.Close()
	}
}
