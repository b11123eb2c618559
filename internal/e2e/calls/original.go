package main

import (
	"errors"
	"fmt"
	"io/fs"
	"path"
	"regexp"
	"strings"
)

// A route is one that the original's server answers.
type route struct {
	method  string
	pattern string // "/api/goals/:id"
	where   string // "routes/goals.js:12"
}

var (
	required = regexp.MustCompile(`const (\w+) = require\('\./(routes/\w+)'\)`)
	mounted  = regexp.MustCompile(`(?m)^\s*app\.use\('(/api[^']*)'(.*)\);`)
	inPlace  = regexp.MustCompile(`require\('\./(routes/\w+)'\)`)
	handled  = regexp.MustCompile(`router\.(get|post|put|patch|delete)\(\s*['"]([^'"]*)['"]`)
	named    = regexp.MustCompile(`(\w+)\s*$`)
)

// originalRoutes reads which routes server.js mounts, in their order.
func originalRoutes(files fs.FS) ([]route, error) {
	server, err := fs.ReadFile(files, "server.js")
	if err != nil {
		return nil, err
	}
	variables := make(map[string]string)
	for _, m := range required.FindAllStringSubmatch(string(server), -1) {
		variables[m[1]] = m[2]
	}
	var routes []route
	for _, m := range mounted.FindAllStringSubmatch(string(server), -1) {
		file := mountedFile(m[2], variables)
		if file == "" {
			continue
		}
		in, err := routesIn(files, m[1], file+".js")
		if err != nil && !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		routes = append(routes, in...)
	}
	return routes, nil
}

// mountedFile returns the file of routes among what app.use is given.
func mountedFile(arguments string, variables map[string]string) string {
	if m := inPlace.FindStringSubmatch(arguments); m != nil {
		return m[1]
	}
	if m := named.FindStringSubmatch(arguments); m != nil {
		return variables[m[1]]
	}
	return ""
}

func routesIn(files fs.FS, prefix, file string) ([]route, error) {
	text, err := fs.ReadFile(files, file)
	if err != nil {
		return nil, err
	}
	var routes []route
	for _, m := range handled.FindAllStringSubmatchIndex(string(text), -1) {
		line := 1 + strings.Count(string(text[:m[0]]), "\n")
		routes = append(routes, route{
			method:  strings.ToUpper(string(text[m[2]:m[3]])),
			pattern: path.Join(prefix, string(text[m[4]:m[5]])),
			where:   fmt.Sprintf("%s:%d", file, line),
		})
	}
	return routes, nil
}

// answering returns the first route that answers c.
func answering(routes []route, c call) (route, bool) {
	for _, r := range routes {
		if r.method == c.method && matches(r.pattern, c.path) {
			return r, true
		}
	}
	return route{}, false
}

// matches compares segment by segment; a parameter of a route takes anything, one
// of a call is never a written word of a route.
func matches(pattern, address string) bool {
	want, got := strings.Split(pattern, "/"), strings.Split(strings.TrimSuffix(address, "/"), "/")
	if len(want) != len(got) {
		return false
	}
	for i := range want {
		if want[i] != got[i] && !strings.HasPrefix(want[i], ":") {
			return false
		}
	}
	return true
}
