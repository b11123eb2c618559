package docs

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/oasdiff/yaml"

	"expenseflow/internal/testneed"
)

// A board is what deploy/grafana.json may have of Grafana's model of a dashboard (schema
// version 38): a misspelt field is an error.
type board struct {
	Inputs []struct {
		Name, Label, Description, Type string
		PluginID                       string `json:"pluginId"`
		PluginName                     string `json:"pluginName"`
	} `json:"__inputs"`
	Requires []struct {
		Type, ID, Name, Version string
	} `json:"__requires"`
	Annotations          struct{ List []any }
	Editable             bool
	FiscalYearStartMonth int
	GraphTooltip         int
	ID                   *int
	Links                []any
	Panels               []panel
	Refresh              string
	SchemaVersion        int
	Tags                 []string
	Templating           struct{ List []variable }
	Time                 struct{ From, To string }
	Timepicker           struct{}
	Timezone, Title, UID string
	Version              int
	WeekStart            string
}

type datasource struct{ Type, UID string }

type variable struct {
	Name, Label, Type, Definition string
	Datasource                    datasource
	Query                         struct {
		Query, RefID string
		QryType      int
	}
	Refresh, Sort, Hide            int
	Multi, IncludeAll, SkipURLSync bool
	AllValue, Regex                string
	Current                        struct {
		Selected    bool
		Text, Value []string
	}
	Options []any
}

type panel struct {
	ID                       int
	Type, Title, Description string
	Collapsed                bool // of a row, as Panels
	Panels                   []panel
	GridPos                  struct{ X, Y, W, H int }
	Datasource               datasource
	Targets                  []target
	FieldConfig              struct {
		Defaults struct {
			Unit       string
			Min        int
			Custom     map[string]any
			Thresholds struct {
				Mode  string
				Steps []struct {
					Color string
					Value *float64
				}
			}
		}
		Overrides []any
	}
	Options map[string]any
}

type target struct {
	RefID                                  string
	Datasource                             datasource
	EditorMode, Expr, LegendFormat, Format string
	Range, Instant                         bool
}

func readBoard(t *testing.T) (b board) {
	t.Helper()
	text, err := os.ReadFile("deploy/grafana.json")
	if err != nil {
		t.Fatal(err)
	}
	d := json.NewDecoder(bytes.NewReader(text))
	d.DisallowUnknownFields()
	if err := d.Decode(&b); err != nil {
		t.Fatal(err)
	}
	return b
}

// all returns the panels, those in collapsed rows too.
func (b board) all() (all []panel) {
	for _, p := range b.Panels {
		all = append(append(all, p), p.Panels...)
	}
	return all
}

// The first row of the board is open and the others are closed; every panel asks the
// datasource that is chosen when the board is imported, for the chosen job and processes.
func TestTheBoardIsOneThatGrafanaImports(t *testing.T) {
	b := readBoard(t)
	if len(b.Inputs) != 1 || b.Inputs[0].Name != "DS_PROMETHEUS" || b.ID != nil {
		t.Errorf("inputs %v, id %v", b.Inputs, b.ID)
	}
	if b.SchemaVersion != 38 || b.UID == "" || b.Title == "" {
		t.Errorf("schema version %d, uid %q, title %q", b.SchemaVersion, b.UID, b.Title)
	}
	chosen := datasource{"prometheus", "${DS_PROMETHEUS}"}
	var names []string
	for _, v := range b.Templating.List {
		if names = append(names, v.Name); v.Datasource != chosen {
			t.Errorf("variable %s asks %v", v.Name, v.Datasource)
		}
	}
	if !slices.Equal(names, []string{"job", "instance"}) {
		t.Errorf("variables %v", names)
	}
	ids := map[int]string{}
	for _, p := range b.all() {
		if ids[p.ID] != "" {
			t.Errorf("%s and %s have the same id", p.Title, ids[p.ID])
		}
		ids[p.ID] = p.Title
		if p.Type == "row" {
			continue
		}
		checkPanel(t, p, chosen)
	}
	b.checkTypes(t)
	checkPlaces(t, b.Panels)
	for i, p := range slices.DeleteFunc(b.Panels, func(p panel) bool { return p.Type != "row" }) {
		if p.Collapsed != (i > 0) || p.Collapsed != (len(p.Panels) > 0) {
			t.Errorf("row %d, %s: collapsed %v with %d panels", i, p.Title, p.Collapsed, len(p.Panels))
		}
	}
}

func checkPanel(t *testing.T, p panel, chosen datasource) {
	t.Helper()
	if p.GridPos.X+p.GridPos.W > 24 || p.GridPos.W == 0 || len(p.Targets) == 0 || p.Datasource != chosen {
		t.Errorf("%s: %+v, %d queries of %v", p.Title, p.GridPos, len(p.Targets), p.Datasource)
	}
	if !slices.Contains(grafanaUnits, p.FieldConfig.Defaults.Unit) {
		t.Errorf("%s: Grafana has no unit %q", p.Title, p.FieldConfig.Defaults.Unit)
	}
	asked := map[string]bool{"": true}
	for _, q := range p.Targets {
		if asked[q.RefID] {
			t.Errorf("%s: %q does not name one query", p.Title, q.RefID)
		}
		asked[q.RefID] = true
		series := strings.Count(q.Expr, `{job=~"$job",instance=~"$instance"`)
		if series == 0 || series != strings.Count(q.Expr, "{") || q.Datasource != chosen {
			t.Errorf("%s: %s is not of the chosen processes", p.Title, q.Expr)
		}
	}
}

// grafanaUnits are those of Grafana's units that the board may use: it shows others as a word
// behind the number.
var grafanaUnits = []string{"none", "short", "s", "bytes", "Bps", "percentunit", "ops", "reqps"}

// checkTypes wants each type of a panel to be required, so that Grafana can say what it lacks.
func (b board) checkTypes(t *testing.T) {
	t.Helper()
	types := []string{"row"} // a part of Grafana itself
	for _, r := range b.Requires {
		if r.Type == "panel" {
			types = append(types, r.ID)
		}
	}
	for _, p := range b.all() {
		if !slices.Contains(types, p.Type) {
			t.Errorf("%s: the type %s is not required", p.Title, p.Type)
		}
	}
}

// checkPlaces wants no two panels that are open together, or in one row, to overlap: Grafana
// would move them.
func checkPlaces(t *testing.T, panels []panel) {
	t.Helper()
	for i, p := range panels {
		checkPlaces(t, p.Panels)
		for _, q := range panels[:i] {
			a, b := p.GridPos, q.GridPos
			if a.X < b.X+b.W && b.X < a.X+a.W && a.Y < b.Y+b.H && b.Y < a.Y+a.H {
				t.Errorf("%s and %s are at one place", p.Title, q.Title)
			}
		}
	}
}

type ruleFile struct {
	Groups []struct {
		Name  string
		Rules []struct {
			Alert, Record, Expr, For string
			Labels, Annotations      map[string]string
		}
	}
}

func readRules(t *testing.T) (f ruleFile) {
	t.Helper()
	text, err := os.ReadFile("deploy/alerts.yml")
	if err != nil {
		t.Fatal(err)
	}
	inJSON, err := yaml.YAMLToJSON(text)
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(inJSON, &f); err != nil {
		t.Fatal(err)
	}
	return f
}

// Every metric that the board and the alerts name is in metrics.md, which internal/app compares
// with what a process serves.
func TestBoardAndAlertsNameMetricsThatExist(t *testing.T) {
	page, err := os.ReadFile("metrics.md")
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, p := range readBoard(t).all() {
		for _, q := range p.Targets {
			all = append(all, q.Expr)
		}
	}
	for _, r := range readRules(t).Groups[0].Rules {
		all = append(all, r.Expr)
	}
	for _, expr := range all {
		for _, name := range metricsIn(expr) {
			if !strings.Contains(string(page), "`"+name+"`") {
				t.Errorf("%s is in no table: %s", name, expr)
			}
		}
	}
}

var ownMetric = regexp.MustCompile(`\b(?:expenseflow|socket_io)_[a-z_]+`)

// metricsIn returns the metrics of an expression: a histogram by its own name.
func metricsIn(expr string) (names []string) {
	for _, name := range ownMetric.FindAllString(expr, -1) {
		names = append(names, strings.TrimSuffix(strings.TrimSuffix(name, "_bucket"), "_count"))
	}
	return names
}

// Each alert says what to do, and fires in a promtool test and not before.
func TestTheAlertsFireWhenTheyShould(t *testing.T) {
	tests, err := os.ReadFile("deploy/alerts_test.yml")
	if err != nil {
		t.Fatal(err)
	}
	for _, r := range readRules(t).Groups[0].Rules {
		if r.Alert == "" {
			continue
		}
		of := regexp.MustCompile(`(?s)alertname="` + r.Alert + `",alertstate="firing"\}\)'.{1,30}eval_time: \w+.{1,20}exp_samples: \[(\]?)`)
		quiet, firing := 0, 0
		for _, m := range of.FindAllStringSubmatch(string(tests), -1) {
			if m[1] == "]" {
				quiet++
			} else {
				firing++
			}
		}
		if quiet == 0 || firing == 0 || r.Annotations["summary"] == "" || r.Annotations["action"] == "" || r.For == "" {
			t.Errorf("%s: %d tests that it fires, %d that it does not, annotations %v", r.Alert, firing, quiet, r.Annotations)
		}
	}
	promtool := testneed.Promtool(t)
	for _, args := range [][]string{{"check", "rules", "alerts.yml"}, {"test", "rules", "alerts_test.yml"}} {
		c := exec.Command(promtool, args...)
		c.Dir = "deploy"
		if out, err := c.CombinedOutput(); err != nil {
			t.Errorf("promtool %s: %v\n%s", strings.Join(args, " "), err, out)
		}
	}
}
