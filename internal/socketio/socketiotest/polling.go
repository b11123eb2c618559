package socketiotest

import (
	"context"
	"io"
	"net/http"
	"strings"
	"time"
)

// polling asks for packets and posts them, by one request at a time each.
type polling struct {
	ctx    context.Context
	cancel context.CancelFunc
	http   *http.Client
	header http.Header
	url    string // with the session's id once it is open
}

func newPolling(ctx context.Context, url string, o Options) *polling {
	ctx, cancel := context.WithCancel(ctx)
	// A transport that reuses connections would ask again by itself where one broke, and
	// what the lost answer held would be missed.
	t := &http.Transport{DisableKeepAlives: true}
	if d := o.Dialer; d != nil {
		t.DialContext, t.TLSClientConfig = d.NetDialContext, d.TLSClientConfig
	}
	return &polling{
		ctx: ctx, cancel: cancel, http: &http.Client{Transport: t, Timeout: o.Patience}, header: o.Header,
		url: url + "/socket.io/?EIO=4&transport=polling" + o.Query,
	}
}

// opened says that the session has this id.
func (p *polling) opened(id string) { p.url += "&sid=" + id }

func (p *polling) read(deadline time.Time) ([]string, error) {
	ctx, cancel := p.ctx, func() {}
	if !deadline.IsZero() {
		ctx, cancel = context.WithDeadline(p.ctx, deadline)
	}
	defer cancel()
	b, err := p.do(ctx, http.MethodGet, "")
	if err != nil {
		return nil, err
	}
	return strings.Split(b, "\x1e"), nil
}

func (p *polling) write(packet string) error {
	_, err := p.do(p.ctx, http.MethodPost, packet)
	return err
}

func (p *polling) do(ctx context.Context, method, body string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, p.url, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	for name, values := range p.header {
		req.Header[name] = values
	}
	res, err := p.http.Do(req)
	if err != nil {
		return "", err
	}
	if res.StatusCode != http.StatusOK {
		return "", refused(res)
	}
	defer res.Body.Close()
	b, err := io.ReadAll(res.Body)
	return string(b), err
}

func (p *polling) close() error {
	p.cancel()
	p.http.CloseIdleConnections()
	return nil
}

// refused reads an answer that is no success, and closes it.
func refused(res *http.Response) error {
	defer res.Body.Close()
	b, _ := io.ReadAll(io.LimitReader(res.Body, 1<<10))
	return &RefusedError{Status: res.StatusCode, Body: string(b)}
}
