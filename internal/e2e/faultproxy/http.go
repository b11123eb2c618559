package faultproxy

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"io"
	"net/http"
)

// showRequests carries whole requests, and reports true when the rest of the connection
// is a WebSocket's.
func (p *Proxy) showRequests(c *connection) (webSocket bool) {
	var raw bytes.Buffer // what the server is to get, byte for byte
	from := bufio.NewReader(io.TeeReader(c.client, &raw))
	for {
		r, err := http.ReadRequest(from)
		if err != nil {
			return false
		}
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return false
		}
		if p.o.Request(r, body) {
			c.lost.Store(true)
		}
		p.awaitSpeech()
		if _, err := raw.WriteTo(c.server); err != nil {
			return false
		}
		if r.Header.Get("Upgrade") != "" {
			return true
		}
	}
}

// carryFrames carries the answer to an upgrade, and frames until the cut. It reports
// true if the server did not upgrade: then the rest of the connection is no WebSocket's.
func (p *Proxy) carryFrames(c *connection) (plain bool) {
	from := bufio.NewReader(c.server)
	var head bytes.Buffer
	res, err := http.ReadResponse(bufio.NewReader(io.TeeReader(&byteReader{from}, &head)), nil)
	if err != nil {
		return false
	}
	if _, err := c.client.Write(head.Bytes()); err != nil {
		return false
	}
	if res.StatusCode != http.StatusSwitchingProtocols {
		_, err := io.CopyN(c.client, from, int64(from.Buffered()))
		return err == nil
	}
	for {
		header, payload, err := readFrame(from)
		if err != nil {
			return false
		}
		p.awaitSpeech()
		if _, err := c.client.Write(append(header, payload...)); err != nil || p.o.Frame(payload) {
			return false
		}
	}
}

// readFrame reads one frame of a server (RFC 6455, section 5.2): not masked.
func readFrame(from io.Reader) (header, payload []byte, err error) {
	header = make([]byte, 2, 10)
	if _, err = io.ReadFull(from, header); err != nil {
		return nil, nil, err
	}
	size := uint64(header[1] & 0x7f)
	if more := map[uint64]int{126: 2, 127: 8}[size]; more > 0 {
		header = header[:2+more]
		if _, err = io.ReadFull(from, header[2:]); err != nil {
			return nil, nil, err
		}
		size = binary.BigEndian.Uint64(append(make([]byte, 8-more), header[2:]...))
	}
	payload = make([]byte, size)
	_, err = io.ReadFull(from, payload)
	return header, payload, err
}

// A byteReader gives one byte at a time, so that nothing behind a head is taken.
type byteReader struct{ from io.Reader }

func (r *byteReader) Read(b []byte) (int, error) { return r.from.Read(b[:min(1, len(b))]) }
