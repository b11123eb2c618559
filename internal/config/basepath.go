package config

import (
	"errors"
	"net/url"
	"regexp"
	"slices"
	"strings"
)

// A BasePath is the path below which the server serves everything, such as /money; "" is the
// root. It has a slash before each segment and none at its end.
type BasePath string

// basePathText has the characters that no URL escapes (RFC 3986 section 2.3).
var basePathText = regexp.MustCompile(`^(/[A-Za-z0-9._~-]+)+$`)

// maxBasePath is the maximum number of bytes of a BasePath.
const maxBasePath = 256

// UnmarshalText parses a path. "/" is the root.
func (b *BasePath) UnmarshalText(text []byte) error {
	path := strings.TrimSpace(string(text))
	segments := strings.Split(path, "/")
	switch {
	case path == "" || path == "/":
		*b = ""
		return nil
	case !strings.HasPrefix(path, "/"):
		return errors.New("does not begin with a slash")
	case strings.HasSuffix(path, "/"):
		return errors.New("ends with a slash")
	case slices.Contains(segments, ".") || slices.Contains(segments, ".."):
		return errors.New("has . or .. as a segment")
	case !basePathText.MatchString(path):
		return errors.New("has something else than letters without accents, digits and - . _ ~ between its slashes")
	case len(path) > maxBasePath:
		return errors.New("is too long")
	}
	*b = BasePath(path)
	return nil
}

// Home returns the path of the page: "/", or such as "/money/".
func (b BasePath) Home() string { return string(b) + "/" }

// Strip returns a URL below b as it is without b; false if it is not below b.
func (b BasePath) Strip(u *url.URL) (*url.URL, bool) {
	inside := *u
	var path, raw bool
	inside.Path, path = cutBase(u.Path, string(b))
	inside.RawPath, raw = cutBase(u.RawPath, string(b))
	return &inside, path && (raw || u.RawPath == "")
}

// cutBase takes base off a path that goes on with a slash.
func cutBase(path, base string) (string, bool) {
	rest, found := strings.CutPrefix(path, base)
	return rest, found && strings.HasPrefix(rest, "/")
}
