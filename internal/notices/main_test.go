package main

import (
	"bytes"
	"debug/buildinfo"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// The image carried the code of 47 modules and the licence of none.
func TestTheNoticesNameEveryModuleThatIsLinked(t *testing.T) {
	t.Chdir(filepath.Join("..", ".."))
	binary := filepath.Join(t.TempDir(), "expenseflow")
	if out, err := exec.Command("go", "build", "-o", binary, ".").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	info, err := buildinfo.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	if err := write(&b, binary); err != nil {
		t.Fatal(err)
	}
	for _, m := range info.Deps {
		if !strings.Contains(b.String(), "\n== "+m.Path+" "+m.Version+": ") {
			t.Errorf("nothing of %s", m.Path)
		}
		if strings.Contains(m.Path, "zishang520") {
			t.Errorf("%s is linked: SECURITY.md says that it is not", m.Path)
		}
	}
}

func TestAPartWithoutALicenceIsAnError(t *testing.T) {
	if err := writePart(&bytes.Buffer{}, part{"nothing", t.TempDir()}); err == nil {
		t.Error("no error")
	}
}
