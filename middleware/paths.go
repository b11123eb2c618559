package middleware

import (
	"strings"
	"sync"

	"github.com/labstack/echo/v4"

	"expenseflow/models"
)

// ExpressPaths has the router see the paths of the API as Express does with its
// defaults: a slash at their end is none, and neither the case of a route's words nor
// that of an id's digits matters. Names that a client chose stay as they are. words
// gives the patterns of the routes, such as "/api/expenses/:id".
func ExpressPaths(patterns func() []string) echo.MiddlewareFunc {
	// Echo builds the chain anew for every request: what is made of the routes is made
	// once, when the first request comes and all routes are there.
	words := sync.OnceValue(func() map[string]bool { return wordsOf(patterns()) })
	return func(next echo.HandlerFunc) echo.HandlerFunc {
		return func(c echo.Context) error {
			u := c.Request().URL
			if len(u.Path) >= len("/api/") && strings.EqualFold(u.Path[:len("/api/")], "/api/") {
				u.Path = asRouted(u.Path, words())
				if u.RawPath != "" {
					u.RawPath = asRouted(u.RawPath, words())
				}
			}
			return next(c)
		}
	}
}

func wordsOf(patterns []string) map[string]bool {
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

func asRouted(path string, words map[string]bool) string {
	segments := strings.Split(strings.TrimSuffix(path, "/"), "/")
	for i, s := range segments {
		if lower := strings.ToLower(s); words[lower] || models.ID24(lower) {
			segments[i] = lower
		}
	}
	return strings.Join(segments, "/")
}
