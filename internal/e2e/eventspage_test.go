package e2e

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
)

// A chapter of docs/events.md lists either commands of a client or events that it receives.
const (
	chapterSaid    = "Commands"
	chapterChanges = "Events of changes"
)

// An eventPage is docs/events.md as the tests read it.
type eventPage map[string]*pagedEvent

// A pagedEvent is one event of the page.
type pagedEvent struct {
	chapter         string
	keys            map[string]pagedKey // of the payload, or of its elements
	list            bool                // the payload is a list
	example, answer json.RawMessage     // nil where there is none
}

type pagedKey struct {
	types    []string
	optional bool
}

// The page's own grammar: chapters, an event or two per section, a table of keys,
// an example, and of what a client says an answer.
var (
	pageChapter = regexp.MustCompile(`(?m)^## (.+)$`)
	pageSection = regexp.MustCompile(`(?m)^### (.+)$`)
	pageName    = regexp.MustCompile("`([^`]+)`")
	pageKey     = regexp.MustCompile("(?m)^\\| `([^`]+)`(\\?)? \\| ([a-z ]+) \\|")
	pageJSON    = regexp.MustCompile("(?s)```json\n(.*?)\n```")
)

// theEventPage is read once.
var theEventPage = sync.OnceValues(func() (eventPage, error) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "events.md"))
	if err != nil {
		return nil, err
	}
	page := eventPage{}
	for title, chapter := range cutAt(pageChapter, string(text)) {
		for heading, section := range cutAt(pageSection, chapter) {
			for _, name := range pageName.FindAllStringSubmatch(heading, -1) {
				page[keyed(title, name[1])] = readPaged(title, section)
			}
		}
	}
	return page, nil
})

// keyed is an event's place on the page: room:activity is both said and heard.
func keyed(chapter, name string) string {
	if chapter == chapterSaid {
		return said + name
	}
	return name
}

const said = "say "

// cutAt returns the parts of a text by their headings.
func cutAt(heading *regexp.Regexp, text string) map[string]string {
	parts := map[string]string{}
	at := heading.FindAllStringSubmatchIndex(text, -1)
	for i, m := range at {
		end := len(text)
		if i+1 < len(at) {
			end = at[i+1][0]
		}
		parts[text[m[2]:m[3]]] = text[m[1]:end]
	}
	return parts
}

func readPaged(chapter, section string) *pagedEvent {
	e := &pagedEvent{chapter: chapter, keys: map[string]pagedKey{}}
	for _, row := range pageKey.FindAllStringSubmatch(section, -1) {
		e.keys[row[1]] = pagedKey{strings.Split(row[3], " or "), row[2] == "?"}
	}
	said, answered, _ := strings.Cut(section, "\nAnswer:\n")
	e.example, e.answer = firstJSON(said), firstJSON(answered)
	e.list = strings.HasPrefix(string(e.example), "[")
	return e
}

func firstJSON(text string) json.RawMessage {
	if found := pageJSON.FindStringSubmatch(text); found != nil {
		return json.RawMessage(found[1])
	}
	return nil
}

// fits tells what is not as the page says in the arguments of an event that was
// heard: another key, a missing one, one of another type, a further argument.
func (p eventPage) fits(name string, args []json.RawMessage) error {
	e := p[name]
	switch {
	case e == nil:
		return fmt.Errorf("%s is not on docs/events.md", name)
	case len(args) == 0:
		return fmt.Errorf("%s came without an argument", name)
	case len(args) > 1 && (e.chapter != chapterChanges || len(args) > 2 || jsonType(args[1])[0] != "text"):
		return fmt.Errorf("%s came with further arguments: %s", name, join(args[1:]))
	}
	if err := e.payload(args[0]); err != nil {
		return fmt.Errorf("%s is not as docs/events.md says: %w: %.300s", name, err, args[0])
	}
	return nil
}

func (e *pagedEvent) payload(text json.RawMessage) error {
	if !e.list {
		return e.object(text)
	}
	var elements []json.RawMessage
	if err := json.Unmarshal(text, &elements); err != nil {
		return err
	}
	var errs []error
	for _, element := range elements {
		errs = append(errs, e.object(element))
	}
	return errors.Join(errs...)
}

func (e *pagedEvent) object(text json.RawMessage) error {
	var o map[string]json.RawMessage
	if err := json.Unmarshal(text, &o); err != nil {
		return err
	}
	var errs []error
	for _, key := range slices.Sorted(maps.Keys(e.keys)) {
		value, there := o[key]
		switch want := e.keys[key]; {
		case !there && !want.optional:
			errs = append(errs, fmt.Errorf("no %s", key))
		case there && !want.takes(value):
			errs = append(errs, fmt.Errorf("%s is no %s but %s", key, strings.Join(want.types, " or "), value))
		}
		delete(o, key)
	}
	for _, key := range slices.Sorted(maps.Keys(o)) {
		errs = append(errs, fmt.Errorf("%s is not there", key))
	}
	return errors.Join(errs...)
}

// takes reports whether the value is of one of the key's types.
func (k pagedKey) takes(value json.RawMessage) bool {
	is := append(jsonType(value), "any")
	return slices.ContainsFunc(k.types, func(t string) bool { return slices.Contains(is, t) })
}

var (
	momentText = regexp.MustCompile(`^"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z"$`)
	dayText    = regexp.MustCompile(`^"\d{4}-\d\d-\d\d"$`)
	idText     = regexp.MustCompile(`^"[0-9a-f]{24}"$`)
)

// jsonType returns the page's words for a value, all that are true of it.
func jsonType(value json.RawMessage) []string {
	switch value[0] {
	case '"':
		types := []string{"text"}
		for name, form := range map[string]*regexp.Regexp{"moment": momentText, "day": dayText, "id": idText} {
			if form.Match(value) {
				types = append(types, name)
			}
		}
		return types
	case '{':
		return []string{"object"}
	case '[':
		var texts []string
		if json.Unmarshal(value, &texts) == nil {
			return []string{"list", "list of texts"}
		}
		return []string{"list"}
	case 'n':
		return []string{"null"}
	case 't', 'f':
		return []string{"boolean"}
	}
	return []string{"number"}
}

// heardByAll keeps what the devices of all tests heard that is not on the page.
var heardByAll struct {
	sync.Mutex
	wrong map[string]bool
}

// holdToPage holds an event that a device heard to the page. The run fails in the end.
func holdToPage(n note) {
	if n.Name != "event" {
		return
	}
	page, err := theEventPage()
	if err == nil {
		err = page.fits(n.Event, n.Args)
	}
	if err == nil {
		return
	}
	heardByAll.Lock()
	defer heardByAll.Unlock()
	if heardByAll.wrong == nil {
		heardByAll.wrong = map[string]bool{}
	}
	if len(heardByAll.wrong) < 20 { // enough to see what is wrong
		heardByAll.wrong[err.Error()] = true
	}
}

// heardWrong is what holdToPage kept.
func heardWrong() error {
	heardByAll.Lock()
	defer heardByAll.Unlock()
	var errs []error
	for _, text := range slices.Sorted(maps.Keys(heardByAll.wrong)) {
		errs = append(errs, errors.New(text))
	}
	return errors.Join(errs...)
}

func TestEventsPageKeepsItsOwnWord(t *testing.T) {
	page, err := theEventPage()
	if err != nil {
		t.Fatal(err)
	}
	for name, e := range page {
		if e.example == nil != (len(e.keys) == 0) || e.answer == nil != (e.chapter != chapterSaid) {
			t.Errorf("%s: a table needs an example, and what is said an answer", name)
		}
		if e.example != nil {
			if err := e.payload(e.example); err != nil {
				t.Errorf("the example of %s: %v", name, err)
			}
		}
		if e.answer != nil && !strings.HasPrefix(string(e.answer), `{"ok": true`) {
			t.Errorf("the answer of %s: %s", name, e.answer)
		}
	}
}

// What holds the page would not do so if it let everything pass.
func TestWhatIsNotOnTheEventsPageIsNoticed(t *testing.T) {
	page, err := theEventPage()
	if err != nil {
		t.Fatal(err)
	}
	tests := []struct {
		name string
		args []string
		ok   bool
	}{
		{"notification_count", []string{`{"count":1}`}, true},
		{"expense_deleted", []string{`{"id":"64b0000000000000000000e1","_id":"64b0000000000000000000e1"}`, `"offset"`}, true},
		{"sync_data", []string{`[]`}, true},
		{"notification_count", []string{`{"count":1}`, `"offset"`}, false},
		{"notification_count", []string{`{"count":1,"more":1}`}, false},
		{"notification_count", []string{`{}`}, false},
		{"notification_count", []string{`{"count":"1"}`}, false},
		{"notification_count", nil, false},
		{"expense_deleted", []string{`{"id":"e1","_id":"e1"}`, `"offset"`}, false},
		{"sync_data", []string{`[{}]`}, false},
		{"expense:create", []string{`{}`}, false},
		{"hello", []string{`{}`}, false},
	}
	for _, tt := range tests {
		var args []json.RawMessage
		for _, a := range tt.args {
			args = append(args, json.RawMessage(a))
		}
		if err := page.fits(tt.name, args); (err == nil) != tt.ok {
			t.Errorf("%s %v: %v", tt.name, tt.args, err)
		}
	}
}
