package e2e

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestGuideFromABankFile(t *testing.T) {
	t.Parallel()
	p := start(t)
	ann := register(t, p)
	content := "Date;Text;Amount\n02.01.2026;Coffee;-3,50\n15.01.2026;Pay;1.900,00\n"
	if err := os.WriteFile(filepath.Join(p.dir, "january.csv"), []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
	g := openGuide(t, p, "From a bank file or another app", "$TOKEN", ann.Token, "ann@example.org", ann.Email)
	if out := g.run(t, "curl"); !strings.Contains(out, `"totals":{"rows":2,"new":2,`) || !strings.Contains(out, `"dates":"dmy"`) {
		t.Errorf("%s", out)
	}
	if out := g.run(t, "expenseflow import file"); !strings.Contains(out, "2 of 2 rows") || len(ann.expenses(t)) != 2 {
		t.Errorf("%s", out)
	}
	g.done(t)
}
