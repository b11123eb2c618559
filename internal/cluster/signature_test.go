package cluster

import (
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"expenseflow/internal/keyring"
)

var testForward = forward{
	to: "owner123", from: "sender12", number: 7, client: "2001:db8::1", scheme: "https", host: "money.example:443",
}

const testURI = "/socket.io/?EIO=4&transport=polling&sid=owner123abc"

func TestAForwardIsVerifiedForItsRequestAlone(t *testing.T) {
	k := newKeys(keyring.New([]byte(testSecret)))
	header := k.sign(testForward, "GET", testURI)
	if got, ok := k.verify(header, "GET", testURI); !ok || got != testForward {
		t.Errorf("got %+v, %v", got, ok)
	}
	changed := func(change func(*forward)) string {
		f := testForward
		change(&f)
		fields, signature := strings.Split(k.sign(f, "GET", testURI), "."), header[strings.LastIndex(header, ".")+1:]
		fields[len(fields)-1] = signature
		return strings.Join(fields, ".")
	}
	for name, tt := range map[string]struct{ header, method, uri string }{
		"another method":  {header, "POST", testURI},
		"another path":    {header, "GET", strings.Replace(testURI, "/socket.io/", "/api/expenses", 1)},
		"another session": {header, "GET", testURI + "x"},
		"another key":     {newKeys(keyring.New([]byte("another secret"))).sign(testForward, "GET", testURI), "GET", testURI},
		"another owner":   {changed(func(f *forward) { f.to = "owner124" }), "GET", testURI},
		"another sender":  {changed(func(f *forward) { f.from = "sender13" }), "GET", testURI},
		"another number":  {changed(func(f *forward) { f.number++ }), "GET", testURI},
		"another client":  {changed(func(f *forward) { f.client = "192.0.2.1" }), "GET", testURI},
		"another scheme":  {changed(func(f *forward) { f.scheme = "http" }), "GET", testURI},
		"another host":    {changed(func(f *forward) { f.host = "evil.example" }), "GET", testURI},
		"nothing":         {"", "GET", testURI},
		"too long":        {header + strings.Repeat("A", maxForwardHeader), "GET", testURI},
		"a probe's answer": {
			header[:strings.LastIndex(header, ".")+1] + k.signAnswer(testForward), "GET", testURI,
		},
	} {
		if got, ok := k.verify(tt.header, tt.method, tt.uri); ok {
			t.Errorf("%s is believed: %+v", name, got)
		}
	}
}

// While a secret is changed in two rolls, what either signs is accepted by the other.
func TestWhatFittingProcessesSignIsVerified(t *testing.T) {
	old, next := []byte("the secret before"), []byte("the secret after")
	for name, tt := range map[string]struct {
		a, b keyring.Ring
		fit  bool
	}{
		"first roll":        {keyring.New(old), keyring.New(old, next), true},
		"second roll":       {keyring.New(old, next), keyring.New(next, old), true},
		"afterwards":        {keyring.New(next, old), keyring.New(next), true},
		"in one roll":       {keyring.New(old), keyring.New(next, old), false},
		"nothing in common": {keyring.New(old), keyring.New(next), false},
	} {
		a, b := newKeys(tt.a), newKeys(tt.b)
		if a.fits(b.fingerprint) != tt.fit || b.fits(a.fingerprint) != tt.fit {
			t.Errorf("%s: %q and %q fit: %v, want %v", name, a.fingerprint, b.fingerprint, !tt.fit, tt.fit)
		}
		_, forth := b.verify(a.sign(testForward, "GET", testURI), "GET", testURI)
		_, back := a.verify(b.sign(testForward, "GET", testURI), "GET", testURI)
		if (forth && back) != tt.fit {
			t.Errorf("%s: forwards are verified %v and %v, want %v", name, forth, back, tt.fit)
		}
		if a.verifyAnswer(b.signAnswer(testForward), testForward) != back {
			t.Errorf("%s: the answer to a probe is not verified as forwards are", name)
		}
	}
}

func TestTheFingerprintIsOfTheSecret(t *testing.T) {
	a, b := newKeys(keyring.New([]byte("a"))), newKeys(keyring.New([]byte("b")))
	if a.fingerprint != newKeys(keyring.New([]byte("a"))).fingerprint || a.fingerprint == b.fingerprint || len(a.fingerprint) != 16 {
		t.Errorf("%q and %q", a.fingerprint, b.fingerprint)
	}
}

// Each number is accepted once, in whatever order numbers arrive, and one that is too old
// never.
func TestEachNumberIsAcceptedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var s senders
		used, highest := map[uint64]bool{}, uint64(0)
		base := rapid.Uint64Range(1, 1<<40).Draw(t, "base")
		for range rapid.IntRange(1, 200).Draw(t, "steps") {
			n := base + rapid.SampledFrom([]uint64{0, 1, 2, 63, 64, windowSize - 1, windowSize, 3 * windowSize}).Draw(t, "near") +
				rapid.Uint64Range(0, 130).Draw(t, "number")
			want := !used[n] && (n > highest || highest-n < windowSize)
			if got := s.accept("sender", n, time.Time{}); got != want {
				t.Fatalf("number %d behind %d: %v", n, highest, got)
			}
			used[n], highest = true, max(highest, n)
		}
	})
}

func TestNumbersOfOneProcessAreNotThoseOfAnother(t *testing.T) {
	var s senders
	began := time.Now()
	for _, id := range []string{"a", "b"} {
		if !s.accept(id, 5, began) || s.accept(id, 5, began) {
			t.Errorf("number 5 of %s", id)
		}
	}
	s.prune(began.Add(keepSender), func(string) bool { return false })
	if s.accept("a", 5, began) {
		t.Error("the numbers of a process were forgotten too early")
	}
	s.prune(began.Add(keepSender+time.Second), func(string) bool { return false })
	if len(s.byID) != 0 {
		t.Errorf("%d processes are remembered for ever", len(s.byID))
	}
}

func FuzzForwardHeader(f *testing.F) {
	k := newKeys(keyring.New([]byte(testSecret)))
	header := k.sign(testForward, "GET", testURI)
	f.Add(header, testURI)
	f.Add("......", "/")
	f.Add(strings.Replace(header, ".7.", ".8.", 1), testURI)
	f.Fuzz(func(t *testing.T, text, uri string) {
		got, ok := k.verify(text, "GET", uri)
		if ok && (k.sign(got, "GET", uri) != text || uri != testURI) {
			t.Errorf("%q is believed for %q: %+v", text, uri, got)
		}
	})
}
