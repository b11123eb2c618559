package wire_test

import (
	"encoding/json"
	"testing"

	"expenseflow/internal/wire"
	"expenseflow/models"
)

func TestCommandsAreReadLeniently(t *testing.T) {
	for _, tt := range []struct{ body, category, typ string }{
		{`{"description":"Lunch","amount":5,"category":"food"}`, "food", "expense"},
		{`{"description":"Lunch","amount":5,"category":"Food","type":null}`, "food", "expense"},
		{`{"description":"Lunch","amount":5,"category":"SALARY","type":"income"}`, "salary", "income"},
		{`{"description":"Lunch","amount":5,"category":"food","icon":"🍔","tags":["a"],"$set":{},"user":"somebody"}`, "food", "expense"},
	} {
		d, _, err := wire.ParseCommandDraft(json.RawMessage(tt.body))
		if err != nil || d.Category != tt.category || d.Type != tt.typ || d.Description != "Lunch" {
			t.Errorf("%s: %+v, %v", tt.body, d, err)
		}
		if _, _, err := wire.ParseDraft(json.RawMessage(tt.body)); err == nil && tt.typ == "expense" {
			t.Errorf("HTTP takes %s", tt.body)
		}
	}
	p, _, err := wire.ParseCommandPatch(json.RawMessage(`{"id":"x","category":"Travel","mood":"good"}`))
	if err != nil || *p.Category != "travel" || p.Type != nil {
		t.Errorf("a patch: %+v, %v", p, err)
	}
}

func TestCommandsAreCheckedNevertheless(t *testing.T) {
	for body, want := range map[string]string{
		`{"description":"Lunch","amount":5,"category":"Fooood"}`:             "",
		`{"description":"Lunch","amount":5,"category":"bil\u212as"}`:         "", // the Kelvin sign is no k
		`{"description":"Lunch","amount":5,"category":7}`:                    `"category" must be one of [food, transport, entertainment, utilities, healthcare, shopping, other]`,
		`{"description":"Lunch","amount":5,"category":"food","type":"both"}`: "",
		`{"description":"Lunch","amount":5,"category":"food","type":7}`:      "",
		`{"description":"Lunch","amount":0,"category":"food"}`:               "",
		`{"amount":5,"category":"food"}`:                                     `"description" is required`,
		`[]`:                                                                 "",
	} {
		_, _, err := wire.ParseCommandDraft(json.RawMessage(body))
		if models.KindOf(err) != models.Invalid || want != "" && models.Message(err) != want {
			t.Errorf("%s: %v, want %s", body, err, want)
		}
	}
}
