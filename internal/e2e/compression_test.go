package e2e

import (
	"fmt"
	"strings"
	"testing"

	"expenseflow/internal/engineio"
	"expenseflow/internal/socketio"
	"expenseflow/internal/testneed"
)

// compressedPage echoes a long text in a browser and shows what was agreed on.
const compressedPage = `<!DOCTYPE html><html lang="en"><title>echo</title><p id="said"></p><script>
const agreed = [];
window.WebSocket = class extends WebSocket {
  constructor(...args) { super(...args); this.addEventListener('open', () => agreed.push(this.extensions)); }
};
</script><script src="/socket.io/socket.io.js"></script><script>
const text = 'compress me '.repeat(10000);
const socket = io({ transports: ['websocket'] });
socket.on('connect', () => socket.emit('ask', text, (back) => {
  document.getElementById('said').textContent = (back === text ? 'echoed by ' : 'mangled by ') + agreed[0];
}));
</script>`

// Real clients compress what they send and read what is compressed for them: Node's, a browser's
// and Python's, whose libraries are three.
func TestCompressionWithRealClients(t *testing.T) {
	s := startProtocolServer(t, socketio.Config{ServeClient: true, Engine: engineio.Config{PerMessageDeflate: true}})
	text := strings.Repeat("compress me ", 10_000)
	small := func(t *testing.T, exchange func()) {
		t.Helper()
		before := s.io.Engine().Stats()
		exchange()
		after := s.io.Engine().Stats()
		if in, out := after.BytesIn-before.BytesIn, after.BytesOut-before.BytesOut; in > 20_000 || out > 20_000 {
			t.Errorf("%d bytes in and %d out for a text of %d", in, out, len(text))
		}
	}
	npm, python := startNode(t), startPython(t)
	npm.elsewhere, python.elsewhere = true, true
	for _, c := range []pair{
		{npm, "sio-3.0.5", transports[1]},
		{npm, "socket.io-client", transports[1]},
		{npm, "socket.io-client", transports[2]},
		{python, pythonClient, transports[1]},
	} {
		t.Run(c.name(), func(t *testing.T) {
			options := c.options()
			options["compress"] = true // Python's client alone has to be told
			d := c.host.openWith(t, c.version, "http://"+s.addr, options)
			d.await(t, "connect", 1)
			if c.list == nil {
				d.awaitThat(t, "upgrade", upgraded)
			}
			small(t, func() {
				same(t, "answer", fmt.Sprintf("[%q]", text), list(t, d.ask(t, "ask", text)))
			})
		})
	}
	t.Run("Chromium", func(t *testing.T) {
		s.page = compressedPage
		w := startBrowser(t).open(t, "about:blank", nil)
		small(t, func() {
			w.do(t, "goto", map[string]any{"url": "http://" + s.addr + "/echo"})
			w.awaitText(t, "echoed by permessage-deflate")
		})
	})
}

// A browser speaks HTTP/2 to the API and HTTP/1.1 to the socket of one port.
func TestABrowserOverHTTPS(t *testing.T) {
	cert, key := testneed.Certificate(t)
	p := start(t, "TLS_CERT_FILE="+cert, "TLS_KEY_FILE="+key, "WEBSOCKET_COMPRESSION=true")
	b := startBrowser(t)
	who := newPerson()
	trusting := look{"ignoreHTTPSErrors": true}
	one, other := b.open(t, p.url(), trusting), b.open(t, p.url(), trusting)
	one.register(t, who)
	other.signIn(t, who)
	one.add(t, "Lunch", "12.50")
	other.awaitRows(t, "Lunch −12.50")
	one.awaitStatus(t, "Live")
	var protocols []string
	one.into(t, &protocols, "protocols")
	same(t, "protocols of the page's requests", "[h2]", fmt.Sprint(protocols))
}
