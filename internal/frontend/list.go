package frontend

import (
	"regexp"
	"strings"
)

// WrappedList reports whether the page reads a plain GET of the list of expenses
// as {data: [...]}, and names the script that was looked at, "" if none asks for
// the list. The original's trackerscript.js reads a bare array in its earlier
// versions and data.data in its later ones, and sends the same headers, so nothing
// but its text can tell.
//
// A script that takes both forms, or whose reading is not recognised, counts as
// one that reads an array.
func (f *Folders) WrappedList() (wrapped bool, script string) {
	for _, name := range []string{"trackerscript.js", "public/trackerscript.js"} {
		text, err := f.read(name)
		if err != nil {
			continue
		}
		for _, reading := range listReadings(string(text)) {
			script = name
			wrapped = wrapped || readsData(reading)
		}
		return wrapped, script
	}
	return false, ""
}

var (
	comments = regexp.MustCompile(`(?s)/\*.*?\*/|(?m)(^|[\s;{}(),])//[^\n]*`)
	// A request of the list itself: its path ends where the string does, or at a
	// query that asks for no page.
	listRequest = regexp.MustCompile("(?:fetch|\\.get|axios)\\s*\\(\\s*[`'\"][^`'\"\\n]*/expenses/?(?:\\?([^`'\"\\n]*))?[`'\"]")
	nextRequest = regexp.MustCompile(`\b(?:fetch|axios(?:\.\w+)?|\.get)\s*\(`)
	otherMethod = regexp.MustCompile(`(?i)\bmethod\s*:\s*['"` + "`" + `](?:post|put|patch|delete)`)
	paged       = regexp.MustCompile(`\b(?:page|limit)=`)
)

// maxReading is how far behind a request its answer is looked for, in bytes.
const maxReading = 3000

// listReadings gives what follows each plain GET of the list, up to the next
// request.
func listReadings(script string) []string {
	script = comments.ReplaceAllString(script, "$1")
	var all []string
	for _, at := range listRequest.FindAllStringSubmatchIndex(script, -1) {
		if at[2] >= 0 && paged.MatchString(script[at[2]:at[3]]) {
			continue
		}
		rest := script[at[1]:min(len(script), at[1]+maxReading)]
		if next := nextRequest.FindStringIndex(rest); next != nil {
			rest = rest[:next[0]]
		}
		if options, _, _ := strings.Cut(rest, ";"); !otherMethod.MatchString(options) {
			all = append(all, rest)
		}
	}
	return all
}

var (
	// const data = await response.json(), and .then(data => of a chain.
	named = regexp.MustCompile(`([A-Za-z_$][\w$]*)\s*=\s*(?:await\s+)?(?:\(\s*await\s+)?[\w$.]+\.json\(\)`)
	chain = regexp.MustCompile(`\.json\(\)\s*;?\s*\}?\s*\)\s*\.then\(\s*(?:async\s*)?(?:function\s*\w*\s*)?\(?\s*([A-Za-z_$][\w$]*)`)
	// const {data} = await response.json(), and (await response.json()).data.
	taken = regexp.MustCompile(`\{[^{}]*\bdata\b[^{}]*\}\s*=\s*await\s+[\w$.]+\.json\(\)|\(\s*await\s+[\w$.]+\.json\(\)\s*\)\s*\??\.\s*data\b|\.json\(\)\s*;?\s*\}?\s*\)\s*\.then\(\s*\(\s*\{[^{}]*\bdata\b`)
)

// readsData reports whether what follows a request reads .data of its answer and
// never the answer itself as an array.
func readsData(reading string) bool {
	if taken.MatchString(reading) {
		return true
	}
	m := named.FindStringSubmatchIndex(reading)
	if m == nil {
		m = chain.FindStringSubmatchIndex(reading)
	}
	if m == nil {
		return false
	}
	answer, after := regexp.QuoteMeta(reading[m[2]:m[3]]), reading[m[1]:]
	start := `(?:^|[^\w$.])` + answer
	data := regexp.MustCompile(start + `\s*\??\.\s*data\b|` + start + `\s*\[\s*['"]data['"]\s*\]`)
	array := regexp.MustCompile(start + `\s*\??\.\s*(?:map|filter|forEach|reduce|length|sort|slice|find)\b|isArray\(\s*` + answer + `\s*\)|\.\.\.` + answer + `\b(?:[^.\w]|$)|\bof\s+` + answer + `\b\s*\)`)
	return data.MatchString(after) && !array.MatchString(after)
}
