package adminui

import (
	"encoding/json"
	"strings"
	"testing"
)

func TestAReadOnlyAdminChangesNothing(t *testing.T) {
	p := start(t, func(*Options) {})
	user, id := p.user()
	admin := p.admin()
	for _, args := range []string{
		`["emit","/",null,"hello"]`, `["join","/","room","` + id + `"]`, `["leave","/","lobby",null]`, `["_disconnect","/",true,null]`,
	} {
		if answer := admin.order(args); !strings.Contains(answer, `{"ok":false,"error":"admins may only look: ADMIN_UI_WRITE is not set","code":"ADMIN_READ_ONLY"}`) {
			t.Errorf("%s: %s", args, answer)
		}
	}
	if n := strings.Count(p.log.String(), "an admin's command was refused"); n != 4 {
		t.Errorf("%d refusals are logged", n)
	}
	if err := p.opts.IO.Of("/").To("lobby").Emit("last"); err != nil {
		t.Fatal(err)
	}
	user.await(`["last"]`)
	if _, heard := user.find([]string{"hello"}); heard {
		t.Error("the user heard the admin")
	}
}

func TestAnAdminWhoMayChangesEveryProcess(t *testing.T) {
	a, b := startPair(t, func(o *Options) {
		o.Write = true
		o.Protected = func(room string) bool { return room == "lobby" }
	})
	here, hereID := a.user()
	there, thereID := b.user()
	admin := a.admin()
	const done = `{"ok":true}`
	for _, step := range []struct{ args, want string }{
		{`["emit","/",null,"to:all",1,{"b":2}]`, done},
		{`["join","/","club","` + thereID + `"]`, done},
		{`["emit","/","club","to:club"]`, done},
		{`["leave","/","club","` + thereID + `"]`, done},
		{`["emit","/","club","to:nobody"]`, done},
		{`["emit","/","` + hereID + `","to:one"]`, done},
		{`["join","/","lobby",null]`, `{"ok":false,"error":"the server itself decides who is in this room","code":"ADMIN_COMMAND"}`},
		{`["leave","/","lobby",null]`, `{"ok":false,"error":"the server itself decides who is in this room","code":"ADMIN_COMMAND"}`},
		{`["emit","/admin",null,"to:admins"]`, `{"ok":false,"error":"no such namespace","code":"ADMIN_COMMAND"}`},
		{`["emit","/chat",null,"to:chat"]`, `{"ok":false,"error":"no such namespace","code":"ADMIN_COMMAND"}`},
		{`["emit","/",{"room":"club"},"to:all"]`, `{"ok":false,"error":"the arguments are not those of the Admin UI","code":"ADMIN_COMMAND"}`},
		{`["_disconnect","/",true,""]`, `{"ok":false,"error":"the arguments are not those of the Admin UI","code":"ADMIN_COMMAND"}`},
		{`["emit","/",null,"connect"]`, "reserved event name"},
		{`["emit"]`, "arguments"},
		{`["emit","/",null,"large","` + strings.Repeat("<", maxHint/5) + `"]`, "too large for the other processes"},
		{`["_disconnect","/",false,"` + thereID + `"]`, done},
		{`["_disconnect","/",true,"` + hereID + `"]`, done},
	} {
		if answer := admin.order(step.args); !strings.Contains(answer, step.want) {
			t.Errorf("%s: %s", step.args, answer)
		}
	}
	here.await(`["to:all",1,{"b":2}]`)
	here.await(`["to:one"]`)
	there.await(`["to:all",1,{"b":2}]`)
	there.await(`["to:club"]`)
	there.await("41")
	here.await("41")
	if _, heard := there.find([]string{"to:nobody"}); heard {
		t.Error("a socket that left the room heard its event")
	}
}

func FuzzOrdersAreOfTheAdminUI(f *testing.F) {
	f.Add("emit", `[null,"hello",1]`)
	f.Add("join", `["room","filter"]`)
	f.Add("_disconnect", `[true,{}]`)
	f.Fuzz(func(t *testing.T, name, text string) {
		var args []json.RawMessage
		c, known := commands[name]
		if !known || json.Unmarshal([]byte(text), &args) != nil {
			return
		}
		o := order{Command: name}
		if c.parse(&o, args) != nil {
			return
		}
		if o.Filter == "" { // everybody, which nothing but null may mean
			at := map[string]int{"emit": 0, "join": 1, "leave": 1, "_disconnect": 1}[name]
			if at < len(args) && string(args[at]) != "null" {
				t.Errorf("%s%s is for everybody", name, text)
			}
		}
		if len(o.Filter)+len(o.Room)+len(o.Event) > 3*maxName {
			t.Errorf("%s%s has long names", name, text)
		}
	})
}
