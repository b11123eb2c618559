package docs

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/google/go-cmp/cmp"
	"github.com/oasdiff/yaml"
)

var update = flag.Bool("update", false, "make openapi.json from openapi.yaml")

func TestOpenAPIIsValidAndSoAreItsExamples(t *testing.T) {
	for name, text := range map[string][]byte{"openapi.yaml": OpenAPIYAML, "openapi.json": OpenAPIJSON} {
		doc, err := openapi3.NewLoader().LoadFromData(text)
		if err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		if err := doc.Validate(t.Context()); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestOpenAPIIsTheSameInBothForms(t *testing.T) {
	plain, err := yaml.YAMLToJSON(OpenAPIYAML)
	if err != nil {
		t.Fatal(err)
	}
	var want bytes.Buffer
	if err := json.Indent(&want, plain, "", " "); err != nil {
		t.Fatal(err)
	}
	want.WriteByte('\n')
	if *update {
		if err := os.WriteFile("openapi.json", want.Bytes(), 0o644); err != nil {
			t.Fatal(err)
		}
	} else if diff := cmp.Diff(want.String(), string(OpenAPIJSON)); diff != "" {
		t.Errorf("run: go test ./docs -update\n%s", diff)
	}
}
