package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"

	"expenseflow/internal/e2e/process"
	"expenseflow/internal/socketio/socketiotest"
)

// suites are what clients and suites of others showed.
var suites = []entry{
	{id: "suite-1", about: "ids of the server's acks do not fit in 31 bits", see: "TestIdsOfTheServersEventsFitInThirtyTwoBits"},
	{id: "suite-2", about: "msgpack destroys binary of 1 or 8 bytes", see: "TestNPMClientsBinaryOfAnySizeArrivesInMsgpack"},
	{id: "suite-3", about: "keys are sorted beside a binary", see: "TestBinaryLeavesTheOrderOfKeysAlone"},
	{
		id: "suite-4", about: "objects that look like placeholders are taken for them",
		see: "TestLookAlikesOfPlaceholdersStayWhatTheyAre",
	},
	{id: "suite-5", about: "a POST over the limit keeps its session", try: largePost},
	{id: "suite-6", about: "an upgrade that times out is cut without a close frame", try: lateUpgrade},
	{
		id: "suite-7a", about: "a close reason that is no UTF-8 is accepted",
		try: closedWith([]byte{0x88, 0x83, 0, 0, 0, 0, 3, 0xe8, 0xff}, 1007),
	},
	{
		id: "suite-7b", about: "compressed frames at the edges of the rules, offers with unknown parameters",
		see: "TestFramesAtTheEdgesOfTheRules, TestOffersOfCompressionThatAreDeclined",
	},
	{id: "suite-8", about: "deflate, gzip;q=0.5 is answered with gzip", try: weighedEncoding},
}

func (t *trial) polling() string {
	_, rest, _ := strings.Cut(t.ask(http.MethodGet, "/socket.io/?EIO=4&transport=polling", "", "").Body, `"sid":"`)
	sid, _, _ := strings.Cut(rest, `"`)
	return "/socket.io/?EIO=4&transport=polling&sid=" + sid
}

// connectPolling signs p in on a polling session.
func (t *trial) connectPolling(path string, p process.Account) {
	t.ask(http.MethodPost, path, "", fmt.Sprintf(`40{"token":%q}`, p.Token), "Content-Type: text/plain")
	t.ask(http.MethodGet, path, "", "")
}

func largePost(t *trial) (string, bool) {
	path := t.polling()
	a := t.ask(http.MethodPost, path, "", strings.Repeat("4", 1_100_000), "Content-Type: text/plain")
	t.near.Timeout = 3 * time.Second
	b := t.ask(http.MethodPost, path, "", "3", "Content-Type: text/plain")
	return fmt.Sprintf("1.1 MB: %s, the next: %s", a, b), b.Status == http.StatusOK
}

func lateUpgrade(t *trial) (string, bool) {
	path := t.polling()
	t.connectPolling(path, t.person("late"))
	_, sid, _ := strings.Cut(path, "sid=")
	c, err := process.DialUpgrade(t.Addr, here, sid)
	if err != nil {
		t.note(err)
		return "", false
	}
	defer c.Close()
	code := closeCode(c, 15*time.Second)
	return fmt.Sprintf("close code %d", code), code == 0
}

// closedWith reports whether the server answers bytes on a fresh WebSocket with none of
// the close codes.
func closedWith(bytes []byte, codes ...int) func(*trial) (string, bool) {
	return func(t *trial) (string, bool) {
		c, err := process.DialRaw(t.Addr, here)
		if err != nil {
			t.note(err)
			return "", false
		}
		defer c.Close()
		_, _ = c.WebSocket().NetConn().Write(bytes)
		code := closeCode(c, 3*time.Second)
		return fmt.Sprintf("close code %d", code), !slices.Contains(codes, code)
	}
}

// closeCode reads the close frame that comes next; 0 if none does.
func closeCode(c *socketiotest.Client, within time.Duration) int {
	conn := c.WebSocket().NetConn()
	_ = conn.SetReadDeadline(time.Now().Add(within))
	b := make([]byte, 4)
	if _, err := io.ReadFull(conn, b); err != nil || b[0] != 0x88 {
		return 0
	}
	return int(binary.BigEndian.Uint16(b[2:]))
}

func weighedEncoding(t *trial) (string, bool) {
	p, path := t.person("encoding"), t.polling()
	t.connectPolling(path, p)
	for range 8 {
		t.expense(p, "") // their events are over a kilobyte, which is worth compressing
	}
	a := t.ask(http.MethodGet, path, "", "", "Accept-Encoding: deflate, gzip;q=0.5")
	got := a.Header.Get("Content-Encoding")
	return fmt.Sprintf("%s, %d bytes, Content-Encoding: %q", a, len(a.Body), got), got == "gzip"
}
