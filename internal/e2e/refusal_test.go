package e2e

import (
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// token signs claims as anybody could who knows the secret.
func token(t *testing.T, method jwt.SigningMethod, key any, claims jwt.MapClaims) string {
	t.Helper()
	s, err := jwt.NewWithClaims(method, claims).SignedString(key)
	if err != nil {
		t.Fatal(err)
	}
	return s
}

// signed is a token of this installation with the given claims, without the
// ones that newer tokens carry.
func signed(t *testing.T, claims jwt.MapClaims) string {
	t.Helper()
	return token(t, jwt.SigningMethodHS256, []byte(jwtSecret), claims)
}

func claims(key, userID string, life time.Duration) jwt.MapClaims {
	now := time.Now()
	return jwt.MapClaims{key: userID, "iat": now.Add(-time.Hour).Unix(), "exp": now.Add(life).Unix()}
}

func TestSocketIsRefused(t *testing.T) {
	p := sqliteRaced(t)
	a := register(t, p)
	none := token(t, jwt.SigningMethodNone, jwt.UnsafeAllowNoneSignatureType, claims("id", a.ID, time.Hour))
	tests := []struct {
		name string
		auth any // nil names no auth at all
		code string
	}{
		{"without auth", nil, "NO_TOKEN"},
		{"empty token", map[string]any{"token": ""}, "NO_TOKEN"},
		{"null token", map[string]any{"token": nil}, "NO_TOKEN"},
		{"a number for a token", map[string]any{"token": 7}, "TOKEN_INVALID"},
		{"garbage", map[string]any{"token": "not a token"}, "TOKEN_INVALID"},
		{"cut short", map[string]any{"token": a.Token[:len(a.Token)-5]}, "TOKEN_INVALID"},
		{"algorithm none", map[string]any{"token": none}, "TOKEN_INVALID"},
		{
			"another algorithm",
			map[string]any{"token": token(t, jwt.SigningMethodHS512, []byte(jwtSecret), claims("id", a.ID, time.Hour))},
			"TOKEN_INVALID",
		},
		{"another key", map[string]any{"token": token(t, jwt.SigningMethodHS256, []byte("somebody else's secret"),
			claims("id", a.ID, time.Hour))}, "TOKEN_INVALID"},
		{"expired", map[string]any{"token": signed(t, claims("id", a.ID, -time.Minute))}, "TOKEN_EXPIRED"},
		{"unknown user", map[string]any{"token": signed(t, claims("id", strings.Repeat("0", 24), time.Hour))}, "USER_NOT_FOUND"},
	}
	n := startNode(t)
	for _, tt := range tests {
		for _, tr := range transports[:2] {
			t.Run(tt.name+" by "+tr.name, func(t *testing.T) {
				options := tr.options()
				if tt.auth != nil {
					options["auth"] = tt.auth
				}
				d := n.open(t, p.url(), options)
				refused := d.await(t, "connect_error", 1)
				same(t, "refusal", fmt.Sprintf(`"Authentication error" {"code":%q}`, tt.code), join(refused.Args))
			})
		}
	}
}

// A token in the address would end up in logs, so it counts for nothing there.
func TestTokenInTheAddressIsNoToken(t *testing.T) {
	p := sqliteRaced(t)
	a := register(t, p)
	options := transports[1].options()
	options["query"] = map[string]any{"token": a.Token}
	d := startNode(t).open(t, p.url(), options)
	same(t, "refusal", `"Authentication error" {"code":"NO_TOKEN"}`, join(d.await(t, "connect_error", 1).Args))
}

func TestSocketIsLetIn(t *testing.T) {
	p := sqliteRaced(t)
	a := register(t, p)
	tests := []struct {
		name    string
		options map[string]any
	}{
		{"auth.token", map[string]any{"auth": map[string]any{"token": a.Token}}},
		{"auth.token with Bearer", map[string]any{"auth": map[string]any{"token": "Bearer " + a.Token}}},
		{"Authorization header", map[string]any{"extraHeaders": map[string]any{"Authorization": "Bearer " + a.Token}}},
		{"the original's token", map[string]any{"auth": map[string]any{"token": signed(t, claims("id", a.ID, time.Hour))}}},
		{"claim userId", map[string]any{"auth": map[string]any{"token": signed(t, claims("userId", a.ID, time.Hour))}}},
		{"claim sub", map[string]any{"auth": map[string]any{"token": signed(t, claims("sub", a.ID, time.Hour))}}},
	}
	n := startNode(t)
	var devices []*device
	for _, tt := range tests {
		options := transports[1].options()
		for k, v := range tt.options {
			options[k] = v
		}
		d := n.open(t, p.url(), options)
		d.await(t, "connect", 1)
		devices = append(devices, d)
	}
	a.settle(t, devices...) // each of them is in the user's room
}

// closedWithin is how long a socket may outlive its token as a client sees it.
// The promise is one second; the rest is the way through a busy machine.
const closedWithin = 4 * second

// gone checks that a device was sent away in time, and for good, so that its
// client does not return.
func (d *device) gone(t *testing.T, since time.Time) {
	t.Helper()
	left := d.await(t, "disconnect", 1)
	same(t, "reason", `"io server disconnect"`, join(left.Args))
	if late := left.At.Sub(since); late > closedWithin {
		t.Errorf("closed after %v, want within a second", late)
	}
}

func TestLogoutClosesTheTokensSockets(t *testing.T) {
	onEach(t, func(t *testing.T, p *program) {
		n := startNode(t)
		a := register(t, p)
		b := a.login(t)
		as, bs := n.connectAll(t, a), n.connectAll(t, b)

		since := time.Now()
		a.call(t, http.MethodPost, "/api/auth/logout", nil).want(t, http.StatusOK)

		for _, d := range as {
			d.gone(t, since)
		}
		b.settle(t, bs...) // the other browser stays
		a.call(t, http.MethodGet, "/api/expenses", nil).want(t, http.StatusUnauthorized)
		d := n.open(t, p.url(), map[string]any{"auth": map[string]any{"token": a.Token}})
		same(t, "refusal", `"Authentication error" {"code":"TOKEN_INVALID"}`, join(d.await(t, "connect_error", 1).Args))
	})
}

func TestD33ExpiredTokenClosesItsSocket(t *testing.T) {
	p := sqliteRaced(t)
	a := register(t, p)
	n := startNode(t)
	n.connectAll(t, a) // Node takes its time to load

	for _, tr := range transports {
		expires := time.Now().Add(3 * second).Truncate(second) // tokens count whole seconds
		short := signed(t, jwt.MapClaims{"id": a.ID, "iat": time.Now().Unix(), "exp": expires.Unix()})
		d := n.connect(t, a.with(short), tr)
		d.gone(t, expires)
		same(t, "number of auth_expired by "+tr.name, 1, len(d.events("auth_expired")))
	}
}

// Events of the old vocabulary and of none at all do no harm.
func TestUnknownEventsAreHarmless(t *testing.T) {
	p := sqliteRaced(t)
	a := register(t, p)
	d := startNode(t).connect(t, a, transports[1])
	d.emit(t, "no such event", 1, nil, map[string]any{"a": []int{1}})
	d.emit(t, "expense_created", map[string]any{"_id": "x"})
	d.emit(t, "sync_request", json.RawMessage(`{"deep":[[[[]]]]}`), "and more")
	d.hear(t, 1, "sync_data")
	a.settle(t, d)
	same(t, "number of disconnects", 0, len(d.noted("disconnect")))
}
