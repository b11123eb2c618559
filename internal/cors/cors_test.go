package cors

import (
	"net/http"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestAllow(t *testing.T) {
	for _, tt := range []struct {
		origin      string
		credentials bool
		want        http.Header
	}{
		{"", true, http.Header{}},
		{"*", false, http.Header{"Access-Control-Allow-Origin": {"*"}}},
		{"https://a.example", true, http.Header{
			"Access-Control-Allow-Origin": {"https://a.example"}, "Access-Control-Allow-Credentials": {"true"},
		}},
	} {
		h := http.Header{}
		Allow(h, tt.origin, tt.credentials)
		if diff := cmp.Diff(tt.want, h); diff != "" {
			t.Errorf("%q, %v: %s", tt.origin, tt.credentials, diff)
		}
	}
}

func TestPreflight(t *testing.T) {
	asking := &http.Request{Header: http.Header{"Access-Control-Request-Headers": {"x-a,x-b"}}}
	for _, tt := range []struct {
		r       *http.Request
		headers []string
		want    []string
	}{
		{&http.Request{Header: http.Header{}}, nil, nil},
		{asking, nil, []string{"x-a,x-b"}},
		{asking, []string{"X-C", "X-D"}, []string{"X-C,X-D"}},
	} {
		h := http.Header{}
		Preflight(h, tt.r, Methods, tt.headers)
		want := http.Header{"Access-Control-Allow-Methods": {"GET,HEAD,PUT,PATCH,POST,DELETE"}}
		if tt.want != nil {
			want["Access-Control-Allow-Headers"] = tt.want
		}
		if diff := cmp.Diff(want, h); diff != "" {
			t.Error(diff)
		}
	}
}
