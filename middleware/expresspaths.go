package middleware

import (
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"expenseflow/models"
)

// ExpressPaths normalizes paths of the API as Express does by default: a trailing slash is
// ignored, and the case of a route's literal segments and of an id's hex digits does not
// matter. Other parameters stay unchanged. patterns returns the patterns of all routes,
// such as "/api/expenses/:id".
func ExpressPaths(patterns func() []string) echo.MiddlewareFunc {
	// The segments are computed at the first request, when all routes are registered. They
	// are shared because Echo calls the middleware function for every request.
	words := sync.OnceValue(func() map[string]bool { return literalSegments(patterns()) })
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			u := c.Request().URL
			if len(u.Path) >= len("/api/") && strings.EqualFold(u.Path[:len("/api/")], "/api/") {
				u.Path = normalizePath(u.Path, words())
				if u.RawPath != "" {
					u.RawPath = normalizePath(u.RawPath, words())
				}
			}
			return next(c)
		}
	}
}

func literalSegments(patterns []string) map[string]bool {
	words := map[string]bool{}
	for _, p := range patterns {
		for _, s := range strings.Split(p, "/") {
			if s != "" && s[0] != ':' && s[0] != '*' {
				words[s] = true
			}
		}
	}
	return words
}

func normalizePath(path string, words map[string]bool) string {
	segments := strings.Split(strings.TrimSuffix(path, "/"), "/")
	for i, s := range segments {
		if lower := strings.ToLower(s); words[lower] || models.IsID(lower) {
			segments[i] = lower
		}
	}
	return strings.Join(segments, "/")
}
