package accept

import (
	"net/http"
	"testing"
)

// A request with "deflate, gzip;q=0.5" got gzip.
func TestTheCodingOfTheHighestWeightIsChosen(t *testing.T) {
	tests := []struct{ header, want string }{
		{"", ""},
		{"gzip, deflate, br", "gzip"},
		{"deflate, gzip", "deflate"},
		{"deflate, gzip;q=0.5", "deflate"},
		{"deflate;q=0.5, gzip", "gzip"},
		{"gzip;q=0, deflate;q=0.1", "deflate"},
		{"GZIP ; Q=0.3", "gzip"},
		{"*", "gzip"},
		{"*;q=0.5, gzip;q=0.1", "deflate"},
		{"*;q=0", ""},
		{"identity, gzip;q=0.5", ""},
		{"identity;q=0.5, gzip;q=0.5", "gzip"},
		{"gzip;level=9;q=0", ""},
		{"gzip;q=high, deflate;q=NaN", ""},
		{"br, zstd", ""},
	}
	for _, tt := range tests {
		h := http.Header{}
		if tt.header != "" {
			h.Set("Accept-Encoding", tt.header)
		}
		if got := Encoding(h, "gzip", "deflate"); got != tt.want {
			t.Errorf("%q: %q, want %q", tt.header, got, tt.want)
		}
	}
}

func FuzzEncoding(f *testing.F) {
	f.Add("deflate, gzip;q=0.5, *;q=0")
	f.Fuzz(func(t *testing.T, header string) {
		got := Encoding(http.Header{"Accept-Encoding": {header}}, "gzip", "deflate")
		if got != "" && got != "gzip" && got != "deflate" {
			t.Errorf("%q was not offered", got)
		}
	})
}
