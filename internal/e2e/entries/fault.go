package main

import (
	"bytes"
	"compress/gzip"
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/gorilla/websocket"

	"expenseflow/internal/e2e/process"
)

// faults are those that public reports about other projects led to.
var faults = []entry{
	{id: "fault-1a", about: "another account that acts under the same device id sets my queue aside (batch)", try: queuedByAnother},
	{id: "fault-1b", about: "the same, in the queue of the last page (delta)", try: deltaByAnother},
	{
		id: "fault-2", about: "after a failover of PostgreSQL nothing is written until a restart",
		see: "TestWritesGoOnAfterTheServerWasReadOnly, TestReadinessFindsOutThatWritesFailWithoutAnyWrite",
	},
	{
		id: "fault-3", about: "a moment from before a restored backup is taken for a place in the new log", env: unstarted,
		try: momentBeforeRestore,
	},
	{id: "fault-4", about: "a moment in the future is told that it is up to date", try: futureMoment},
	{
		id: "fault-5", about: "the page cannot read the amounts that it writes in some languages",
		see: "static/jstest/numbers.test.js",
	},
	{
		id: "fault-6", about: "an expense counts in the day of another zone", env: []string{"DEFAULT_TIME_ZONE=Pacific/Auckland"},
		try: dayOfZone,
	},
	{id: "fault-7", about: "the sub-protocol that a client offers is not chosen", try: subProtocol},
	{id: "fault-8a", about: "an operation with the byte FF silences sync_error", try: strayByte},
	{id: "fault-8b", about: "the queue of the last page is answered with the byte FF of its localId", try: strayByteDelta},
	{
		id: "fault-9a", about: "FRONTEND_URL with a default port is accepted and never matches",
		env: []string{"FRONTEND_URL=https://app.example:443"}, try: originAllowed("https://app.example"),
	},
	{
		id: "fault-9b", about: "FRONTEND_URL with a host in Unicode is accepted and never matches",
		env: []string{"FRONTEND_URL=https://bücher.example"}, try: originAllowed("https://xn--bcher-kva.example"),
	},
	{id: "fault-9c", about: "FRONTEND_URL with a wildcard is accepted and never matches", env: unstarted, try: wildcardOrigin},
	{id: "fault-9d", about: "FRONTEND_URL cannot list the origin of an app", env: unstarted, try: appOrigin},
	{id: "fault-10", about: "a letter that only looks like i shares with somebody else", try: dottedI},
	{id: "fault-11", about: "a page left open over the end of a month goes on with the old one", see: "static/jstest/days.test.js"},
	{id: "fault-12", about: "a year of five digits saves nothing and says nothing", see: "static/jstest/days.test.js"},
	{id: "fault-13", about: "plain and gzip have one strong ETag", try: oneETag},
	{id: "fault-14", about: "an error prints a piece of the database's password", env: unstarted, try: printedPassword},
	{id: "fault-15a", about: "a body with a byte order mark is refused", try: byteOrderMark},
	{id: "fault-15b", about: "a gzip body is refused", try: gzipBody},
	{id: "fault-15c", about: "Content-Encoding: Identity is refused", try: identityBody},
	{id: "fault-15d", about: "a path with a slash at its end, or in capitals, is not found", try: otherPaths},
	{id: "fault-15e", about: "an id in capitals is not found", try: capitalID},
	{id: "fault-16", about: "HOST=0.0.0.0 listens on IPv6 too", env: []string{"HOST=0.0.0.0"}, try: listensOnIPv6},
	{
		id: "fault-17a", about: "a frame whose length has its first bit set is closed as if all were well",
		try: closedWith([]byte{0x81, 0x80 | 127, 0x80, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0}, 1002, 1009),
	},
	{id: "fault-17b", about: "a close of one byte is accepted", try: closedWith([]byte{0x88, 0x81, 0, 0, 0, 0, 'x'}, 1002)},
	{id: "fault-17c", about: "close code 1014 is refused", try: closedWith([]byte{0x88, 0x82, 0, 0, 0, 0, 3, 0xf6}, 1014)},
}

func queuedByAnother(t *trial) (string, bool) {
	a, b := t.person("first"), t.person("second")
	queued := time.Now().UnixMilli()
	t.pause(200 * time.Millisecond)
	t.expense(b, `,"deviceId":"web"`)
	got := t.batch(a, operation("CREATE", "temp_1", "web", queued, newExpense("")))
	return fmt.Sprintf("%.160s", got.Body), strings.Contains(got.Body, "another account")
}

func deltaByAnother(t *trial) (string, bool) {
	a, b := t.person("first"), t.person("second")
	queued := time.Now().UnixMilli()
	t.pause(200 * time.Millisecond)
	t.ask(http.MethodPost, "/api/expenses", b.Token, newExpense(""), "X-Device-Id: web")
	got := t.delta(a, "local_1", queued, "X-Device-Id: web")
	parked := t.ask(http.MethodGet, "/api/sync/pending", a.Token, "").Body
	return fmt.Sprintf("%.120s", got.Body), strings.Contains(got.Body+parked, "another account")
}

// delta sends a queue of one creation.
func (t *trial) delta(p process.Account, localID string, at int64, headers ...string) answer {
	return t.ask(http.MethodPost, "/api/sync/delta", p.Token,
		fmt.Sprintf(`{"changes":[{"action":"create","localId":"%s","version":0,"timestamp":%d,"data":%s}]}`, localID, at,
			newExpense("")), headers...)
}

// momentBeforeRestore has a device know an expense that a restored backup does not.
func momentBeforeRestore(t *trial) (string, bool) {
	t.note(t.start(nil, "DATABASE_URL=all.db", secret))
	p := t.person("restored")
	t.expense(p, "")
	live, backup := filepath.Join(t.Dir, "all.db"), filepath.Join(t.Dir, "backup.db")
	t.again(func() { t.note(copyDatabase(live, backup)) }, "DATABASE_URL=all.db", secret)
	t.expense(p, "")
	t.pause(50 * time.Millisecond)
	since := time.Now().UTC().Format("2006-01-02T15:04:05.000Z")
	t.again(func() {
		t.note(copyDatabase(backup, live))
		t.note(t.command("epoch", "DATABASE_URL=all.db", secret))
	}, "DATABASE_URL=all.db", secret)
	return t.asOf(p, since)
}

// asOf asks by three ways what changed since a moment that is no place in the log.
func (t *trial) asOf(p process.Account, since string) (string, bool) {
	changes := t.ask(http.MethodGet, "/api/sync/changes?since="+url.QueryEscape(since), p.Token, "")
	pull := t.ask(http.MethodGet, "/api/sync/pull?lastSyncTime="+url.QueryEscape(since), p.Token, "")
	c := t.socket(here, p.Token)
	say(c, fmt.Sprintf(`42["sync_request",{"lastSyncedAt":%q}]`, since))
	packet, _ := heard(c, `"sync_changes"`, 3*time.Second)
	snapshot := strings.Contains(changes.Body, `"snapshot":true`)
	everything := idOf(pull.Body) != ""
	socket := strings.Contains(packet, `"snapshot":true`)
	return fmt.Sprintf("changes: snapshot %t; pull: everything %t; sync_request: snapshot %t", snapshot, everything, socket),
		!snapshot || !everything || !socket
}

// copyDatabase copies a database of an ended server.
func copyDatabase(from, to string) error {
	for _, suffix := range []string{"", "-wal"} {
		b, err := os.ReadFile(from + suffix)
		if os.IsNotExist(err) {
			err = os.Remove(to + suffix)
			if os.IsNotExist(err) {
				continue
			}
		}
		if err == nil && b != nil {
			err = os.WriteFile(to+suffix, b, 0o600)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

func futureMoment(t *trial) (string, bool) {
	p := t.person("future")
	t.expense(p, "")
	return t.asOf(p, time.Now().Add(30*24*time.Hour).UTC().Format("2006-01-02T15:04:05.000Z"))
}

func dayOfZone(t *trial) (string, bool) {
	p := t.person("auckland")
	t.expense(p, `,"date":"2026-10-31T12:00:00Z"`) // already 1 November there
	november := t.ask(http.MethodGet, "/api/dashboard?from=2026-11-01&to=2026-11-30", p.Token, "")
	counted := strings.Contains(november.Body, "12.5")
	return fmt.Sprintf("1 November in Auckland counts in November: %t", counted), !counted
}

func subProtocol(t *trial) (string, bool) {
	d := websocket.Dialer{Subprotocols: []string{"x", "y"}}
	c, _, err := d.DialContext(t.ctx, "ws://"+t.Addr+"/socket.io/?EIO=4&transport=websocket", nil)
	if err != nil {
		return err.Error(), true
	}
	defer c.Close()
	return fmt.Sprintf("offered x and y, chosen %q", c.Subprotocol()), c.Subprotocol() != "x"
}

func strayByte(t *trial) (string, bool) {
	p := t.person("bytes")
	c := t.socket(here, p.Token)
	t.batch(p, operation("UPDATE", strings.Repeat("a", 24), "device_x", 1, "{\"description\":\"caf\xff\"}"))
	packet, _ := heard(c, `"sync_error"`, 2*time.Second)
	return fmt.Sprintf("sync_error: %.60q", packet), packet == "" || !utf8.ValidString(packet)
}

func strayByteDelta(t *trial) (string, bool) {
	a := t.delta(t.person("bytes"), "local_\xff", 1)
	return fmt.Sprintf("%s %.80q", a, a.Body), !utf8.ValidString(a.Body) || !json.Valid([]byte(a.Body))
}

func originAllowed(origin string) func(*trial) (string, bool) {
	return func(t *trial) (string, bool) {
		a := t.ask(http.MethodGet, "/socket.io/?EIO=4&transport=polling", "", "", "Origin: "+origin)
		return fmt.Sprintf("a page of %s: %s", origin, a), a.Status != http.StatusOK
	}
}

func wildcardOrigin(t *trial) (string, bool) {
	if err := t.start(nil, "FRONTEND_URL=https://*.example", secret); err != nil {
		return "the server does not start: " + lastError(t), false
	}
	return originAllowed("https://app.example")(t)
}

func appOrigin(t *trial) (string, bool) {
	if err := t.start(nil, "FRONTEND_URL=capacitor://localhost,tauri://localhost", secret); err != nil {
		return "the server does not start: " + lastError(t), true
	}
	return originAllowed("capacitor://localhost")(t)
}

func dottedI(t *trial) (string, bool) {
	owner, ivan := t.person("owner"), t.personAt("ivan@example.org")
	id := t.expense(owner, "")
	a := t.ask(http.MethodPost, "/api/expenses/"+id+"/share", owner.Token, `{"email":"İvan@example.org","role":"viewer"}`)
	reached := idOf(t.ask(http.MethodGet, "/api/expenses", ivan.Token, "").Body) != "" || t.invitation(ivan) != ""
	return fmt.Sprintf("shared with İvan@: %s; ivan@ has or is asked for it: %t", a, reached), reached
}

func oneETag(t *trial) (string, bool) {
	plain := t.ask(http.MethodGet, "/style.css", "", "").Header
	zipped := t.ask(http.MethodGet, "/style.css", "", "", "Accept-Encoding: gzip").Header
	same := plain.Get("ETag") == zipped.Get("ETag") && !strings.HasPrefix(plain.Get("ETag"), "W/") &&
		zipped.Get("Content-Encoding") == "gzip"
	return fmt.Sprintf("plain %s, gzip %s", plain.Get("ETag"), zipped.Get("ETag")), same
}

func printedPassword(t *trial) (string, bool) {
	if t.start(nil, "DATABASE_URL=postgres://ann:s3cr3t@w0rd@127.0.0.1/ef", secret) == nil {
		t.note(fmt.Errorf("the server started"))
	}
	printed := strings.Contains(t.Log(), "w0rd") || strings.Contains(t.Log(), "s3cr3t")
	return fmt.Sprintf("printed: %t; %s", printed, strings.ReplaceAll(lastError(t), "w0rd", "[the password's end]")), printed
}

func byteOrderMark(t *trial) (string, bool) {
	p := t.person("bom")
	a := t.ask(http.MethodPost, "/api/expenses", p.Token, "\ufeff"+newExpense(""))
	b := t.ask(http.MethodPost, "/api/sync/batch", p.Token, "\ufeff"+batchOf())
	return fmt.Sprintf("expense %s, batch %s", a, b), a.Status != http.StatusCreated || b.Status != http.StatusOK
}

func gzipBody(t *trial) (string, bool) {
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write([]byte(newExpense("")))
	_ = z.Close()
	a := t.ask(http.MethodPost, "/api/expenses", t.person("gzip").Token, b.String(), "Content-Encoding: gzip")
	return a.String(), a.Status != http.StatusCreated
}

func identityBody(t *trial) (string, bool) {
	a := t.ask(http.MethodPost, "/api/expenses", t.person("identity").Token, newExpense(""), "Content-Encoding: Identity")
	return a.String(), a.Status != http.StatusCreated
}

func otherPaths(t *trial) (string, bool) {
	p := t.person("paths")
	slash, capitals := t.ask(http.MethodGet, "/api/expenses/", p.Token, ""), t.ask(http.MethodGet, "/API/Expenses", p.Token, "")
	return fmt.Sprintf("/api/expenses/: %s, /API/Expenses: %s", slash, capitals), slash.Status != http.StatusOK ||
		capitals.Status != http.StatusOK
}

func capitalID(t *trial) (string, bool) {
	p := t.person("capitals")
	a := t.ask(http.MethodPut, "/api/expenses/"+strings.ToUpper(t.expense(p, "")), p.Token, newExpense(""))
	return a.String(), a.Status != http.StatusOK
}

// listensOnIPv6 looks for the port among the kernel's sockets, for IPv6 may be off.
func listensOnIPv6(t *trial) (string, bool) {
	var port int
	_, _ = fmt.Sscanf(t.Addr, "127.0.0.1:%d", &port)
	b, err := os.ReadFile("/proc/net/tcp6")
	t.note(err)
	is := strings.Contains(string(b), fmt.Sprintf(":%04X 0", port))
	return fmt.Sprintf("a socket of IPv6 has the port: %t", is), is
}
