package frontend

import (
	"regexp"
	"strings"
)

// WrappedList reports whether the page expects the list of expenses as {data: [...]}, and
// returns the name of the script that it analysed, "" if none requests the list. Earlier
// versions of the original's trackerscript.js expect an array, later ones an object. Both
// send the same headers, so only the script's text can tell.
//
// A script that accepts both forms, or whose code is not recognised, counts as one that
// expects an array.
func (f *Folders) WrappedList() (wrapped bool, script string) {
	for _, name := range []string{"trackerscript.js", "public/trackerscript.js"} {
		text, err := f.read(name)
		if err != nil {
			continue
		}
		for _, reading := range codeAfterListRequests(string(text)) {
			script = name
			wrapped = wrapped || usesDataField(reading)
		}
		return wrapped, script
	}
	return false, ""
}

var (
	comments = regexp.MustCompile(`(?s)/\*.*?\*/|(?m)(^|[\s;{}(),])//[^\n]*`)
	// A request of the list: the string ends with its path or with a query.
	listRequest = regexp.MustCompile("(?:fetch|\\.get|axios)\\s*\\(\\s*[`'\"][^`'\"\\n]*/expenses/?(?:\\?([^`'\"\\n]*))?[`'\"]")
	nextRequest = regexp.MustCompile(`\b(?:fetch|axios(?:\.\w+)?|\.get)\s*\(`)
	otherMethod = regexp.MustCompile(`(?i)\bmethod\s*:\s*['"` + "`" + `](?:post|put|patch|delete)`)
	paged       = regexp.MustCompile(`\b(?:page|limit)=`)
)

// maxCodeAfterRequest is the number of bytes after a request in which the use of its response is
// searched.
const maxCodeAfterRequest = 3000

// codeAfterListRequests returns the code after each GET of the list without page or limit, up to
// the next request.
func codeAfterListRequests(script string) []string {
	script = comments.ReplaceAllString(script, "$1")
	var all []string
	for _, at := range listRequest.FindAllStringSubmatchIndex(script, -1) {
		if at[2] >= 0 && paged.MatchString(script[at[2]:at[3]]) {
			continue
		}
		rest := script[at[1]:min(len(script), at[1]+maxCodeAfterRequest)]
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
	assignedJSON = regexp.MustCompile(`([A-Za-z_$][\w$]*)\s*=\s*(?:await\s+)?(?:\(\s*await\s+)?[\w$.]+\.json\(\)`)
	thenJSON     = regexp.MustCompile(`\.json\(\)\s*;?\s*\}?\s*\)\s*\.then\(\s*(?:async\s*)?(?:function\s*\w*\s*)?\(?\s*([A-Za-z_$][\w$]*)`)
	// const {data} = await response.json(), and (await response.json()).data.
	destructured = regexp.MustCompile(`\{[^{}]*\bdata\b[^{}]*\}\s*=\s*await\s+[\w$.]+\.json\(\)|\(\s*await\s+[\w$.]+\.json\(\)\s*\)\s*\??\.\s*data\b|\.json\(\)\s*;?\s*\}?\s*\)\s*\.then\(\s*\(\s*\{[^{}]*\bdata\b`)
)

// usesDataField reports whether the code after a request uses .data of the response, and never
// the response itself as an array.
func usesDataField(reading string) bool {
	if destructured.MatchString(reading) {
		return true
	}
	m := assignedJSON.FindStringSubmatchIndex(reading)
	if m == nil {
		m = thenJSON.FindStringSubmatchIndex(reading)
	}
	if m == nil {
		return false
	}
	answer, after := regexp.QuoteMeta(reading[m[2]:m[3]]), reading[m[1]:]
	start := `(?:^|[^\w$.])` + answer
	data := regexp.MustCompile(start + `\s*\??\.\s*data\b|` + start + `\s*\[\s*['"]data['"]\s*\]`)
	array := regexp.MustCompile(start + `\s*\??\.\s*(?:map|filter|forEach|reduce|length|sort|slice|find)\b|isArray\(\s*` + answer +
		`\s*\)|\.\.\.` + answer + `\b(?:[^.\w]|$)|\bof\s+` + answer + `\b\s*\)`)
	return data.MatchString(after) && !array.MatchString(after)
}
