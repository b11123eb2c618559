package failpoint

import "testing"

func TestOrders(t *testing.T) {
	for text, want := range map[string]*order{
		"":               {},
		"mid-write":      {at: MidWrite, nth: 1},
		"after-begin@12": {at: AfterBegin, nth: 12},
		"nowhere":        nil,
		"mid-write@":     nil,
		"mid-write@0":    nil,
		"mid-write@x":    nil,
	} {
		got, err := parse(text)
		switch {
		case want == nil && err == nil:
			t.Errorf("%q is taken", text)
		case want != nil && (err != nil || got.at != want.at || want.at != "" && got.nth != want.nth):
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
}

func TestOnlyTheNthTimeIsDue(t *testing.T) {
	o := &order{at: MidWrite, nth: 3}
	for i, want := range []bool{false, false, true, false} {
		if o.due(AfterBegin) {
			t.Error("another point is due")
		}
		if got := o.due(MidWrite); got != want {
			t.Errorf("time %d: due %v", i+1, got)
		}
	}
}
