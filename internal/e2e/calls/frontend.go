package main

import (
	"cmp"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"
)

// A call is one request that a frontend makes.
type call struct {
	method string
	path   string // "/api/goals/:id": what is computed is a parameter
	query  string // "period=&months=", the names with what is written out
	file   string
	line   int // 1-based
}

// serverSide are the folders of a checkout that no browser runs.
var serverSide = map[string]bool{
	"node_modules": true, "models": true, "routes": true, "services": true, "middleware": true, ".git": true,
}

// frontendCalls returns the calls of a checkout, one of each, in order of path.
func frontendCalls(files fs.FS) ([]call, error) {
	seen := make(map[string]call)
	err := fs.WalkDir(files, ".", func(name string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && serverSide[d.Name()]:
			return fs.SkipDir
		case d.IsDir() || name == "server.js" || !slices.Contains([]string{".js", ".html"}, path.Ext(name)):
			return nil
		}
		text, err := fs.ReadFile(files, name)
		for _, c := range callsIn(name, string(text)) {
			key := c.method + " " + c.path
			if known, ok := seen[key]; !ok || (known.query == "" && c.query != "") {
				seen[key] = c
			}
		}
		return err
	})
	calls := make([]call, 0, len(seen))
	for _, c := range seen {
		calls = append(calls, c)
	}
	slices.SortFunc(calls, func(a, b call) int {
		return cmp.Or(cmp.Compare(a.path, b.path), cmp.Compare(a.method, b.method))
	})
	return calls, err
}

var (
	// constants finds what an address is put together from: API_URL = '/api/goals'.
	constants = regexp.MustCompile("(?:this\\.)?(\\w+)\\s*[=:]\\s*['\"`]((?:https?://localhost:\\d+)?/api[^'\"`$]*)['\"`]")
	fetches   = regexp.MustCompile(`\bfetch\(\s*`)
	// wrappers finds functions that put an address behind a base: this.call('/x').
	wrappers  = regexp.MustCompile(`(?m)^\s*(?:async\s+)?(?:function\s+)?(\w+)\((\w+)[^)]*\)\s*\{`)
	method    = regexp.MustCompile(`method:\s*['"](\w+)['"]`)
	variables = regexp.MustCompile(`^\w+$`)
	computed  = regexp.MustCompile(`\$\{([^}]*)\}`)
	lastName  = regexp.MustCompile(`(\w+)\W*$`)
)

// callsIn returns the calls of one file.
func callsIn(name, text string) []call {
	bases := make(map[string]string)
	for _, m := range constants.FindAllStringSubmatch(text, -1) {
		bases[m[1]] = withoutHost(m[2])
	}
	var calls []call
	for _, at := range fetches.FindAllStringIndex(text, -1) {
		args := arguments(text[at[1]:])
		address := resolve(text[:at[0]], firstArgument(args), bases)
		found := []call{{method: methodOf(args), path: address}}
		if param, ok := endsInParameter(address); ok {
			found = throughWrapper(text, at[0], param, address, bases)
		}
		for _, c := range found {
			if strings.HasPrefix(c.path, "/api/") {
				calls = append(calls, located(c, name, text, at[0]))
			}
		}
	}
	return calls
}

// arguments returns what stands between a parenthesis that is open and its end.
func arguments(text string) string {
	depth := 1
	for i, r := range text {
		switch r {
		case '(', '{', '[':
			depth++
		case ')', '}', ']':
			depth--
		}
		if depth == 0 {
			return text[:i]
		}
	}
	return text
}

// firstArgument returns what stands before the first comma outside brackets and quotes.
func firstArgument(args string) string {
	depth, quote := 0, rune(0)
	for i, r := range args {
		switch {
		case quote != 0:
			if r == quote {
				quote = 0
			}
		case r == '\'' || r == '"' || r == '`':
			quote = r
		case r == '(' || r == '{' || r == '[':
			depth++
		case r == ')' || r == '}' || r == ']':
			depth--
		case r == ',' && depth == 0:
			return strings.TrimSpace(args[:i])
		}
	}
	return strings.TrimSpace(args)
}

func methodOf(args string) string {
	if m := method.FindStringSubmatch(args); m != nil {
		return strings.ToUpper(m[1])
	}
	return "GET"
}

// resolve makes an address of an expression. before is the text up to the call,
// in which a variable was last assigned.
func resolve(before, expression string, bases map[string]string) string {
	if variables.MatchString(expression) {
		if base, ok := bases[expression]; ok {
			return base
		}
		assigned := regexp.MustCompile(`\b` + expression + "\\s*=\\s*([`'\"][^`'\"]*[`'\"])")
		all := assigned.FindAllStringSubmatch(before, -1)
		if len(all) == 0 {
			return ""
		}
		expression = all[len(all)-1][1]
	}
	address := strings.Trim(expression, "`'\"")
	for name, base := range bases {
		address = strings.NewReplacer("${"+name+"}", base, "${this."+name+"}", base).Replace(address)
	}
	return withoutHost(computed.ReplaceAllStringFunc(address, func(s string) string {
		name := lastName.FindStringSubmatch(strings.TrimSuffix(strings.TrimSuffix(s, "}"), ")"))
		if name == nil {
			return ":x"
		}
		return ":" + name[1]
	}))
}

var host = regexp.MustCompile(`^https?://localhost:\d+`)

func withoutHost(address string) string { return host.ReplaceAllString(address, "") }

// endsInParameter reports whether an address ends in a computed part that no
// slash precedes, which is how a wrapper's does: "/api/reports:endpoint".
func endsInParameter(address string) (string, bool) {
	at := strings.LastIndexByte(address, ':')
	if at < 1 || strings.ContainsAny(address[at:], "/?&") || strings.Contains(address, "?") || address[at-1] == '/' {
		return "", false
	}
	return address[at+1:], true
}

// throughWrapper returns the calls that are made through the function around a
// fetch, whose parameter is the end of the address.
func throughWrapper(text string, at int, param, address string, bases map[string]string) []call {
	var function string
	for _, m := range wrappers.FindAllStringSubmatch(text[:at], -1) {
		if m[2] == param {
			function = m[1]
		}
	}
	if function == "" {
		return nil
	}
	base := strings.TrimSuffix(address, ":"+param)
	var calls []call
	for _, use := range regexp.MustCompile(`\bthis\.`+function+`\(`).FindAllStringIndex(text, -1) {
		args := arguments(text[use[1]:])
		calls = append(calls, call{method: methodOf(args), path: base + resolve(text[:use[0]], firstArgument(args), bases)})
	}
	return calls
}

// located cuts the query off an address and says where it stands.
func located(c call, file, text string, at int) call {
	c.path, c.query, _ = strings.Cut(c.path, "?")
	c.file, c.line = file, 1+strings.Count(text[:at], "\n")
	return c
}
