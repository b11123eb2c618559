package reconcile_test

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"expenseflow/internal/ledger"
	"expenseflow/internal/reconcile"
	"expenseflow/internal/store/storetest"
	"expenseflow/models"
)

func TestAnEmptyBatchHasAnEmptyAnswer(t *testing.T) {
	each(t, func(h *fixture) {
		if rs := h.apply(); rs == nil {
			h.t.Error("nil, which JSON calls null")
		}
	})
}

func TestR3AnswersInPlace(t *testing.T) {
	each(t, func(h *fixture) {
		kept := h.apply(create(0, lunch))[0].Expense
		rs := h.apply(
			create(1, lunch),
			create(2, `{"amount":-5}`),
			update(3, kept.ID, `{"amount":7}`),
			del(4, storetest.ID()),
			create(5, lunch),
			update(6, storetest.ID(), `{"amount":1}`),
			del(7, kept.ID),
		)
		h.wantStatuses(rs, models.StatusCreated, models.StatusParked, models.StatusUpdated, models.StatusNotFound,
			models.StatusCreated, models.StatusNotFound, models.StatusDeleted)
		if rs[2].Expense.Amount.String() != "7" || rs[2].Expense.Version != 2 || rs[6].Expense.Version != 2 {
			h.t.Errorf("updated %+v, deleted %+v", rs[2].Expense, rs[6].Expense)
		}
		if len(h.list()) != 2 {
			h.t.Errorf("%d expenses", len(h.list()))
		}
		h.checkLog()
	})
}

func TestD11ABadOperationIsParkedAndItsNeighboursProceed(t *testing.T) {
	each(t, func(h *fixture) {
		rs := h.apply(create(0, lunch), create(1, `{"description":"Rent","amount":1,"category":"rent","type":"expense"}`),
			create(2, lunch))
		h.wantStatuses(rs, models.StatusCreated, models.StatusParked, models.StatusCreated)
		want := "Expense validation failed: category: `rent` is not a valid enum value for path `category`."
		if rs[1].Error != want || rs[1].Expense != nil {
			h.t.Errorf("answered %+v", rs[1])
		}
		op := h.onlyPending()
		if op.Result.Error != want || op.State != models.Parked || !strings.Contains(string(op.Data), "Rent") ||
			*op.Timestamp != nine.UnixMilli()+1 {
			h.t.Errorf("kept %+v", op)
		}
		if diff := cmp.Diff([]models.QueuedOperation{op}, h.parked); diff != "" {
			h.t.Errorf("announced (-pending +heard):\n%s", diff)
		}
		h.apply(create(1, `{"description":"Rent","amount":1,"category":"rent","type":"expense"}`))
		if len(h.parked) != 1 || len(h.pending()) != 1 {
			h.t.Errorf("a replay parked again: heard of %d", len(h.parked))
		}
	})
}

func TestD11TroubleOfOursFailsTheWholeBatch(t *testing.T) {
	each(t, func(h *fixture) {
		ctx, cancel := context.WithCancel(h.t.Context())
		cancel()
		_, err := h.Apply(ctx, h.user.ID, models.Author{}, []models.Operation{create(0, lunch)})
		if err != nil && models.KindOf(err) != models.Unavailable {
			h.t.Errorf("whoever hung up: %v", err)
		}
		if err := h.store.Close(); err != nil {
			h.t.Fatal(err)
		}
		_, err = h.Apply(h.t.Context(), h.user.ID, models.Author{}, []models.Operation{create(0, lunch)})
		if models.KindOf(err) != models.Unavailable {
			h.t.Errorf("without a database: %v", err)
		}
	})
}

// Data that is not an object, or that databases cannot store, parks one operation and does
// not fail the batch (docs/contract.md#d4, docs/contract.md#permanent-or-retryable).
func TestD4OddDataAreParked(t *testing.T) {
	each(t, func(h *fixture) {
		odd := []models.Operation{
			create(0, `"text"`), create(1, `[{"amount":1}]`), create(2, `7`), create(3, ``), create(4, `null`), create(5, `{}`),
			create(6, `{"description":"a\u0000b","amount":1,"category":"food","type":"expense"}`),
			create(7, `{"description":"\ud800","amount":1,"category":"\u0000","type":"expense"}`),
			named("nul\x00id", of("dev\x00ice", create(8, `{"amount":1}`))),
			create(9, `{"description":"`+strings.Repeat("x", 60_000)+`","amount":1,"category":"food","type":"expense"}`),
			create(10, "{\"description\":\"\xff\",\"amount\":0}"),
			create(11, `{"description":"a","amount":9007199254740993,"category":"food","type":"expense"}`),
		}
		rs := h.apply(append(odd, create(99, lunch))...)
		for i := range odd {
			if rs[i].Status != models.StatusParked || rs[i].Error == "" {
				h.t.Errorf("operation %d: %+v", i, rs[i])
			}
		}
		if rs[len(odd)].Status != models.StatusCreated {
			h.t.Errorf("the good one: %+v", rs[len(odd)])
		}
		if got := len(h.pending()); got != len(odd) {
			h.t.Errorf("%d are parked", got)
		}
		if diff := cmp.Diff(rs, h.apply(append(odd, create(99, lunch))...)); diff != "" {
			h.t.Errorf("replay (-first +second):\n%s", diff)
		}
	})
}

func TestD13TheSameBatchTwiceAtOnceIsAppliedOnce(t *testing.T) {
	each(t, func(h *fixture) {
		var ops []models.Operation
		for i := range int64(20) {
			ops = append(ops, create(i, lunch), update(i, create(i, lunch).ResourceID, `{"amount":1}`))
		}
		answers := make([][]models.Result, 6)
		var wg sync.WaitGroup
		for i := range answers {
			wg.Go(func() {
				var err error
				if answers[i], err = h.Apply(h.t.Context(), h.user.ID, models.Author{}, ops); err != nil {
					h.t.Errorf("apply: %v", err)
				}
			})
		}
		wg.Wait()
		for _, a := range answers[1:] {
			if diff := cmp.Diff(answers[0], a); diff != "" {
				h.t.Errorf("two answers differ:\n%s", diff)
			}
		}
		if len(h.list()) != 20 || len(h.log()) != 40 {
			h.t.Errorf("%d expenses, %d changes", len(h.list()), len(h.log()))
		}
		h.checkLog()
	})
}

func TestD14TemporaryIDsAreResolved(t *testing.T) {
	each(t, func(h *fixture) {
		temp := create(0, lunch).ResourceID
		rs := h.apply(create(0, lunch), update(1, temp, `{"amount":7}`), del(2, temp))
		h.wantStatuses(rs, models.StatusCreated, models.StatusUpdated, models.StatusDeleted)
		if rs[1].Expense.ID != rs[0].Expense.ID || rs[2].Expense.ID != rs[0].Expense.ID {
			h.t.Error("they are not the same expense")
		}
		if diff := cmp.Diff([]models.ChangeKind{models.ExpenseCreated, models.ExpenseUpdated, models.ExpenseDeleted},
			h.kinds()); diff != "" {
			h.t.Errorf("events (-want +got):\n%s", diff)
		}
		for _, c := range h.log() {
			if c.EntityID != rs[0].Expense.ID {
				h.t.Errorf("an event names %s", c.EntityID)
			}
		}
		other := create(5, lunch)
		made := h.apply(other)[0].Expense
		h.wantStatuses(h.apply(of("device_2", update(6, other.ResourceID, `{}`))), models.StatusNotFound)
		h.wantStatuses(h.apply(update(7, other.ResourceID, `{}`)), models.StatusUpdated)
		if gone, err := h.ledger.DeleteExpense(h.t.Context(), h.user.ID, other.ResourceID,
			models.Author{DeviceID: device}); err != nil || gone.ID != made.ID {
			h.t.Errorf("DELETE of a temporary id: %v", err)
		}
		h.checkLog()
	})
}

func TestD15AnOfflineExpenseIsOfWhenItWasQueued(t *testing.T) {
	at := func(t time.Time) *int64 { return ptr(t.UnixMilli()) }
	tests := []struct {
		name      string
		data      string
		timestamp *int64
		want      time.Time
	}{
		{"a believable clock", lunch, at(nine), nine},
		{
			"a date of its own", `{"description":"a","amount":1,"category":"food","type":"expense","date":"2020-02-03"}`, at(nine),
			time.Date(2020, 2, 3, 0, 0, 0, 0, time.UTC),
		},
		{"a date of null", `{"description":"a","amount":1,"category":"food","type":"expense","date":null}`, at(nine), nine},
		{
			"the first believable moment", lunch, at(time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC)),
			time.Date(2000, 1, 1, 0, 0, 0, 0, time.UTC),
		},
		{"a clock that was never set", lunch, at(time.Date(1999, 12, 31, 23, 59, 59, 0, time.UTC)), noon},
		{"a clock five minutes ahead", lunch, at(noon.Add(5 * time.Minute)), noon.Add(5 * time.Minute)},
		{"a clock further ahead", lunch, at(noon.Add(5*time.Minute + time.Second)), noon},
		{"no clock", lunch, nil, noon},
	}
	eachWith(t, reconcile.Options{}, func(h *fixture) {
		ops := make([]models.Operation, len(tests))
		for i, tt := range tests {
			ops[i] = create(int64(i), tt.data)
			ops[i].Timestamp = tt.timestamp
		}
		for i, r := range h.apply(ops...) {
			if r.Expense == nil || !r.Expense.Date.Equal(tests[i].want) {
				h.t.Errorf("%s: %+v, want %v", tests[i].name, r, tests[i].want)
			}
		}
	})
}

func TestD16AReplayGetsTheStoredResult(t *testing.T) {
	each(t, func(h *fixture) {
		first := create(0, lunch)
		batch := []models.Operation{
			first, update(1, first.ResourceID, `{"amount":7}`), create(2, `{}`), del(3, storetest.ID()),
			create(4, lunch),
		}
		answer := h.apply(batch...)
		changes := len(h.log())
		if _, err := h.ledger.DeleteExpense(h.t.Context(), h.user.ID, answer[0].Expense.ID, models.Author{}); err != nil {
			h.t.Fatal(err)
		}
		if diff := cmp.Diff(answer, h.apply(batch...)); diff != "" {
			h.t.Errorf("replay (-first +second):\n%s", diff)
		}
		for i := len(batch) - 1; i >= 0; i-- { // split, and in another order
			if diff := cmp.Diff(answer[i], h.apply(batch[i])[0]); diff != "" {
				h.t.Errorf("replay of %d (-first +second):\n%s", i, diff)
			}
		}
		if len(h.log()) != changes+1 || len(h.list()) != 1 || len(h.pending()) != 1 {
			h.t.Errorf("a replay did something: %d changes, %d expenses", len(h.log()), len(h.list()))
		}
		want := []int64{2, 1, 0, 1, 0, 1, 0, 0, 10} // in the order of Outcomes: each of the five once, and ten replays
		if got := h.Stats(); !slices.Equal(got, want) {
			h.t.Errorf("counted %v of %v, want %v", got, reconcile.Outcomes, want)
		}
	})
}

func TestD16TwoOperationsWithOneTemporaryIDAreTwo(t *testing.T) {
	each(t, func(h *fixture) {
		dinner := strings.Replace(lunch, "Lunch", "Dinner", 1)
		other := create(0, dinner)
		rs := h.apply(create(0, lunch), other)
		h.wantStatuses(rs, models.StatusCreated, models.StatusCreated)
		if rs[0].Expense.ID == rs[1].Expense.ID || len(h.list()) != 2 {
			h.t.Error("one was lost")
		}
		twins := []models.Operation{create(9, lunch), create(9, lunch), create(9, lunch)}
		rs = h.apply(twins...)
		if len(h.list()) != 5 {
			h.t.Errorf("%d expenses after three identical operations in one batch", len(h.list()))
		}
		if diff := cmp.Diff(rs, h.apply(twins...)); diff != "" || len(h.list()) != 5 {
			h.t.Errorf("their replay (-first +second):\n%s", diff)
		}
	})
}

// Keys depend on the content of data, not on its notation.
func TestD16KeysCompareData(t *testing.T) {
	each(t, func(h *fixture) {
		h.apply(create(0, `{"amount":12.5,"description":"Lunch","category":"food","type":"expense"}`))
		h.apply(create(0, ` { "type":"expense", "category":"food", "description":"L\u0075nch", "amount":12.5 } `))
		if len(h.list()) != 1 {
			h.t.Errorf("%d expenses", len(h.list()))
		}
		h.apply(create(0, `{"amount":12.6,"description":"Lunch","category":"food","type":"expense"}`))
		h.apply(of("device_2", create(0, lunch)))
		if len(h.list()) != 3 {
			h.t.Errorf("%d expenses", len(h.list()))
		}
	})
}

func TestD16WithoutATimeOnlyCreationsAreDeduplicated(t *testing.T) {
	each(t, func(h *fixture) {
		c := timeless(create(0, lunch))
		id := h.apply(c)[0].Expense.ID
		if again := h.apply(c)[0].Expense.ID; again != id {
			h.t.Error("the creation was applied twice")
		}
		a, b := timeless(update(0, id, `{"notes":"a"}`)), timeless(update(0, id, `{"notes":"b"}`))
		h.apply(a, b, a)
		if got := h.list()[0]; got.Notes != "a" || got.Version != 4 {
			h.t.Errorf("a, b, a gave %q, version %d", got.Notes, got.Version)
		}
	})
}

func TestD17ALostAnswerMakesNoSecondExpense(t *testing.T) {
	post := func(h *fixture, deviceID string) models.Expense {
		h.t.Helper()
		e, err := h.ledger.CreateExpense(h.t.Context(), h.user.ID, ledger.ExpenseCreation{
			Draft:  models.Draft{Description: "Lunch", Amount: 12_500_000, Category: "food", Type: "expense"},
			Author: models.Author{DeviceID: deviceID}, Posted: true,
		})
		if err != nil {
			h.t.Fatal(err)
		}
		return e
	}
	queue := func(t time.Time, data string) models.Operation {
		return create(t.UnixMilli()-nine.UnixMilli(), data)
	}
	each(t, func(h *fixture) {
		posted := post(h, device)
		r := h.apply(queue(noon.Add(time.Second), lunch))[0]
		if r.Status != models.StatusDuplicate || r.Expense.ID != posted.ID || len(h.list()) != 1 || len(h.log()) != 1 {
			h.t.Errorf("the lost answer: %+v, %d expenses", r, len(h.list()))
		}
		temp := queue(noon.Add(time.Second), lunch).ResourceID
		h.wantStatuses(h.apply(update(1, temp, `{"notes":"n"}`)), models.StatusUpdated)
		h.wantStatuses(h.apply(queue(noon.Add(2*time.Second), lunch)), models.StatusCreated) // claimed already
		h.checkLog()
	})
	t.Run("doubtful cases stay two", func(t *testing.T) {
		each(t, func(h *fixture) {
			post(h, device)
			post(h, "device_2")
			for _, op := range []models.Operation{
				queue(noon.Add(-10*time.Second), lunch),                              // queued before
				queue(noon.Add(10*time.Second), lunch),                               // and well after
				queue(noon, strings.Replace(lunch, "12.5", "12.6", 1)),               // other data
				queue(noon, strings.Replace(lunch, "{", `{"date":"2026-01-19",`, 1)), // other data
				of("device_3", queue(noon, lunch)),                                   // another device
				named("local_1", queue(noon, lunch)),                                 // no time of the browser's
				timeless(queue(noon, lunch)),
			} {
				if r := h.apply(op)[0]; r.Status != models.StatusCreated {
					h.t.Errorf("%+v: %+v", op, r)
				}
			}
		})
	})
	t.Run("what was deleted meanwhile stays so", func(t *testing.T) {
		each(t, func(h *fixture) {
			posted := post(h, device)
			if _, err := h.ledger.DeleteExpense(h.t.Context(), h.user.ID, posted.ID, models.Author{}); err != nil {
				h.t.Fatal(err)
			}
			r := h.apply(queue(noon, lunch))[0]
			if r.Status != models.StatusDuplicate || r.Expense == nil || r.Expense.ID != posted.ID || len(h.list()) != 0 {
				h.t.Errorf("%+v, %d expenses", r, len(h.list()))
			}
		})
	})
}

// The digits of temp_1 were taken for a time in 1970, so an expense posted at any time
// before was taken for the queued one.
func TestD17ATemporaryIDThatIsNoTimeSwallowedAnExpense(t *testing.T) {
	at := func(queued time.Time, name int64) models.Operation {
		op := create(queued.UnixMilli()-nine.UnixMilli(), lunch)
		return named(fmt.Sprint("temp_", name), op)
	}
	never := time.UnixMilli(60_000) // on a clock that was never set
	each(t, func(h *fixture) {
		_, err := h.ledger.CreateExpense(h.t.Context(), h.user.ID, ledger.ExpenseCreation{
			Draft:  models.Draft{Description: "Lunch", Amount: 12_500_000, Category: "food", Type: "expense"},
			Author: models.Author{DeviceID: device}, Posted: true,
		})
		if err != nil {
			h.t.Fatal(err)
		}
		for _, op := range []models.Operation{
			at(noon, 1),
			at(noon, 0),
			at(noon, -noon.UnixMilli()),
			at(noon, noon.Unix()), // seconds
			at(noon, noon.Add(-25*time.Hour).UnixMilli()),
			at(noon, noon.Add(6*time.Minute).UnixMilli()),
			at(never, never.UnixMilli()),
			at(noon, math.MinInt64),
			at(noon, math.MaxInt64),
		} {
			if r := h.apply(op)[0]; r.Status != models.StatusCreated {
				h.t.Errorf("%s, queued at %d: %s", op.ResourceID, *op.Timestamp, r.Status)
			}
		}
		h.wantStatuses(h.apply(at(noon, noon.UnixMilli())), models.StatusDuplicate) // it was there to be found
		h.checkLog()
	})
}

// A POST whose response was lost and the operation that the page queued have the same client
// id, so they create one expense, whatever the clocks show.
func TestAClientIDMakesOneOfAPostAndItsOperation(t *testing.T) {
	same := strings.Replace(lunch, "{", `{"clientId":"c1",`, 1)
	other := strings.Replace(same, "12.5", "13", 1)
	each(t, func(h *fixture) {
		posted, err := h.ledger.CreateExpense(h.t.Context(), h.user.ID, ledger.ExpenseCreation{
			Draft:  models.Draft{Description: "Lunch", Amount: 12_500_000, Category: "food", Type: "expense"},
			Author: models.Author{DeviceID: device}, ClientID: "c1", Posted: true,
		})
		if err != nil {
			h.t.Fatal(err)
		}
		rs := h.apply(create(0, same), create(1, same), of("device_2", create(2, same)), create(3, lunch), create(4, other))
		h.wantStatuses(rs, models.StatusDuplicate, models.StatusDuplicate, models.StatusCreated, models.StatusCreated,
			models.StatusParked)
		if rs[0].Expense.ID != posted.ID || rs[1].Expense.ID != posted.ID ||
			rs[4].Error != "This clientId was used for another expense" {
			h.t.Errorf("answered %+v", rs)
		}
		h.wantStatuses(h.apply(update(5, create(1, same).ResourceID, `{"notes":"n"}`)), models.StatusUpdated)
		r, err := h.Retry(h.t.Context(), h.user.ID, models.Author{DeviceID: device}, h.onlyPending().ID, nil)
		if err != nil || r.Status != models.StatusCreated {
			h.t.Errorf("retried by a person: %+v, %v", r, err)
		}
		if len(h.list()) != 4 {
			h.t.Errorf("%d expenses", len(h.list()))
		}
		_, err = h.ledger.CreateExpense(h.t.Context(), h.user.ID, ledger.ExpenseCreation{
			Draft:  models.Draft{Description: "Lunch", Amount: 12_500_000, Category: "food", Type: "expense"},
			Author: models.Author{DeviceID: device}, Posted: true,
		})
		if err != nil {
			h.t.Fatal(err)
		}
		named := strings.Replace(lunch, "{", `{"clientId":"c2",`, 1) // which that POST was not
		h.wantStatuses(h.apply(create(noon.Sub(nine).Milliseconds(), named)), models.StatusCreated)
		h.checkLog()
	})
}

// The POST was stored under the header's key only, not under the page's client id, so its
// operation created a second expense.
func TestAPostWithAKeyAndAClientIDAndItsOperationMadeTwo(t *testing.T) {
	same := strings.Replace(lunch, "{", `{"clientId":"c1",`, 1)
	each(t, func(h *fixture) {
		posted, err := h.ledger.CreateExpense(h.t.Context(), h.user.ID, ledger.ExpenseCreation{
			Draft:  models.Draft{Description: "Lunch", Amount: 12_500_000, Category: "food", Type: "expense"},
			Author: models.Author{DeviceID: device}, RequestID: "k1", ClientID: "c1", Posted: true,
		})
		if err != nil {
			h.t.Fatal(err)
		}
		rs := h.apply(create(0, same))
		h.wantStatuses(rs, models.StatusDuplicate)
		if rs[0].Expense.ID != posted.ID || len(h.list()) != 1 {
			h.t.Errorf("made %d expenses, answered %+v", len(h.list()), rs)
		}
		h.checkLog()
	})
}

func TestD21WhatIsNotThereIsSuccessAndAnEditIsParked(t *testing.T) {
	each(t, func(h *fixture) {
		rs := h.apply(del(0, storetest.ID()), del(1, "temp_1"), update(2, "temp_1", `{"amount":1}`))
		h.wantStatuses(rs, models.StatusNotFound, models.StatusNotFound, models.StatusNotFound)
		for _, r := range rs {
			if r.Expense != nil {
				h.t.Errorf("data of nothing: %+v", r)
			}
		}
		if op := h.onlyPending(); op.Action != models.Update || op.Result.Error != "Expense not found" {
			h.t.Errorf("parked %+v", op)
		}
	})
}

func TestD24EventsFollowTheOrderOfOperationsAndNameTheirDevice(t *testing.T) {
	each(t, func(h *fixture) {
		var ops []models.Operation
		for i := range int64(10) {
			ops = append(ops, of(fmt.Sprintf("device_%d", i),
				create(i, strings.Replace(lunch, "Lunch", fmt.Sprint("meal ", i), 1))))
		}
		h.apply(ops...)
		for i, c := range h.log() {
			want := models.Author{DeviceID: ops[i].DeviceID, TokenID: "jti"}
			if c.Expense.Description != fmt.Sprint("meal ", i) || c.Author != want {
				h.t.Errorf("event %d: %+v", i, c)
			}
		}
	})
}

func TestD26TheQueueIsKept(t *testing.T) {
	each(t, func(h *fixture) {
		last, _, err := h.Status(h.t.Context(), h.user.ID)
		if err != nil || last != nil {
			h.t.Errorf("before the first: %v, %v", last, err)
		}
		h.apply(create(0, lunch))
		h.setClock(noon.Add(time.Minute))
		h.apply(create(1, `{}`))
		last, _, err = h.Status(h.t.Context(), h.user.ID)
		if err != nil || last == nil || !last.Equal(noon) {
			h.t.Errorf("last sync %v, %v", last, err)
		}
		if op := h.onlyPending(); !op.CreatedAt.Equal(noon.Add(time.Minute)) || op.UserID != h.user.ID {
			h.t.Errorf("kept %+v", op)
		}
	})
}

func TestD30AnUpdateMovesNothingToAnotherAccount(t *testing.T) {
	each(t, func(h *fixture) {
		mallory := storetest.User(h.t, h.store).ID
		id := h.apply(create(0, strings.Replace(lunch, "{", `{"_id":"bbbbbbbbbbbbbbbbbbbbbbbb","user":"`+mallory+`",`,
			1)))[0].Expense.ID
		if id == "bbbbbbbbbbbbbbbbbbbbbbbb" {
			h.t.Error("a client chose an id")
		}
		r := h.apply(update(1, id,
			`{"user":"`+mallory+`","_id":"x","$set":{"user":"`+mallory+`"},"$inc":{"amount":5},"createdAt":0,"notes":"n"}`))[0]
		if r.Expense.UserID != h.user.ID || r.Expense.ID != id || r.Expense.Amount.String() != "12.5" || r.Expense.Notes != "n" ||
			!r.Expense.CreatedAt.Equal(noon) {
			h.t.Errorf("updated %+v", r.Expense)
		}
		r = h.apply(update(2, id, `{"amount":0}`))[0]
		if want := "Validation failed: amount: Path `amount` (0) is less than minimum allowed value (0.01)."; r.Error != want {
			h.t.Errorf("got %q, want %q", r.Error, want)
		}
	})
}

func TestUsersAreApart(t *testing.T) {
	each(t, func(h *fixture) {
		mine := h.apply(create(0, lunch))[0].Expense
		mallory := storetest.User(h.t, h.store).ID
		rs, err := h.Apply(h.t.Context(), mallory, models.Author{}, []models.Operation{
			of("m", update(1, mine.ID, `{"amount":1}`)), of("m", del(2, mine.ID)),
			of("m", update(3, create(0, "").ResourceID, `{"amount":1}`)), of("m", create(0, lunch)),
		})
		if err != nil {
			h.t.Fatal(err)
		}
		h.wantStatuses(rs, models.StatusNotFound, models.StatusNotFound, models.StatusNotFound, models.StatusCreated)
		if diff := cmp.Diff([]models.Expense{*mine}, h.list()); diff != "" {
			h.t.Errorf("mine (-before +after):\n%s", diff)
		}
		parked, err := h.Pending(h.t.Context(), mallory)
		if err != nil || len(parked) != 2 || len(h.pending()) != 0 {
			h.t.Fatalf("%d are parked, %v", len(parked), err)
		}
		if _, err := h.Retry(h.t.Context(), h.user.ID, models.Author{}, parked[0].ID, nil); models.KindOf(err) != models.NotFound {
			h.t.Errorf("another's operation: %v", err)
		}
		if err := h.Discard(h.t.Context(), h.user.ID, parked[0].ID); models.KindOf(err) != models.NotFound {
			h.t.Errorf("another's operation: %v", err)
		}
	})
}

func TestDecision8AnOlderVersionConflicts(t *testing.T) {
	each(t, func(h *fixture) {
		id := h.apply(create(0, lunch))[0].Expense.ID
		rs := h.apply(update(1, id, `{"notes":"a","version":1}`), update(2, id, `{"notes":"b","version":1}`),
			update(3, id, `{"notes":"c"}`))
		h.wantStatuses(rs, models.StatusUpdated, models.StatusParked, models.StatusUpdated)
		if rs[1].Current == nil || rs[1].Current.Notes != "a" || rs[1].Current.Version != 2 || rs[1].Error == "" {
			h.t.Errorf("conflict %+v", rs[1])
		}
		if op := h.onlyPending(); op.Result.Current == nil || op.Result.Current.Version != 2 {
			h.t.Errorf("kept %+v", op)
		}
		h.checkLog()
	})
}

func TestDecision13TheLastAccountsQueueIsParked(t *testing.T) {
	each(t, func(h *fixture) {
		bob := storetest.User(h.t, h.store).ID
		h.apply(create(0, lunch)) // at noon, the device acts for the user
		h.setClock(noon.Add(time.Hour))
		before, after := noon.Add(-time.Minute).Sub(nine).Milliseconds(), noon.Add(time.Minute).Sub(nine).Milliseconds()
		rs, err := h.Apply(h.t.Context(), bob, models.Author{Browser: "another"}, []models.Operation{create(before+1, lunch)})
		if err != nil {
			h.t.Fatal(err)
		}
		h.wantStatuses(rs, models.StatusCreated)
		batch := []models.Operation{
			create(before, lunch), create(after, lunch), of("device_2", create(before, lunch)),
			timeless(create(before, lunch)),
		}
		rs, err = h.Apply(h.t.Context(), bob, models.Author{Browser: browser}, batch)
		if err != nil {
			h.t.Fatal(err)
		}
		h.wantStatuses(rs, models.StatusParked, models.StatusCreated, models.StatusParked, models.StatusCreated)
		if rs[0].Error != "Queued by another account" {
			h.t.Errorf("parked for %q", rs[0].Error)
		}
		parked, err := h.Pending(h.t.Context(), bob)
		if err != nil || len(parked) != 2 {
			h.t.Fatalf("%d are parked, %v", len(parked), err)
		}
		r, err := h.Retry(h.t.Context(), bob, models.Author{}, parked[0].ID, nil)
		if err != nil || r.Status != models.StatusCreated {
			h.t.Errorf("a person wants it: %+v, %v", r, err)
		}
	})
}

// A queue that outlived a sign-out is sent with the next user's token, although
// the device has not acted for the first one since (docs/contract.md#accounts-on-one-device).
func TestDecision13WhatWasQueuedBeforeSigningInIsParked(t *testing.T) {
	at := func(t time.Time, data string) models.Operation { return create(t.Sub(nine).Milliseconds(), data) }
	each(t, func(h *fixture) {
		bob := storetest.User(h.t, h.store).ID
		apply := func(signedIn time.Time, ops ...models.Operation) []models.Status {
			h.t.Helper()
			rs, err := h.Apply(h.t.Context(), bob, models.Author{TokenIssued: signedIn, Browser: browser}, ops)
			if err != nil {
				h.t.Fatal(err)
			}
			return statuses(rs)
		}
		want := func(what string, got []models.Status, want ...models.Status) {
			h.t.Helper()
			if diff := cmp.Diff(want, got); diff != "" {
				h.t.Errorf("%s (-want +got):\n%s", what, diff)
			}
		}
		h.apply(create(0, lunch)) // alice, at noon, on the device; then she goes offline and queues on
		signedIn := noon.Add(time.Hour)
		h.setClock(noon.Add(2 * time.Hour))
		want("alice's, in several chunks, then bob's", apply(signedIn,
			at(noon.Add(time.Minute), lunch), at(noon.Add(2*time.Minute), lunch), at(noon.Add(3*time.Minute), lunch),
			at(noon.Add(4*time.Minute), lunch),
			at(signedIn.Add(time.Minute), lunch),
		), models.StatusParked, models.StatusParked, models.StatusParked, models.StatusParked, models.StatusCreated)
		want("more of alice's, later", apply(signedIn, at(noon.Add(5*time.Minute), lunch)), models.StatusParked)
		again := noon.Add(24 * time.Hour)
		h.setClock(again)
		want("bob's own, queued before he signed in again", apply(again, at(noon.Add(5*time.Hour), lunch)), models.StatusCreated)
	})
}

// The server's clock was eight hours ahead for one write, and is right again: for
// eight hours what was entered was dated in the future, and lost answers were taken
// for new expenses.
func TestAServersClockThatWasSetBackDatedEverythingInTheFuture(t *testing.T) {
	each(t, func(h *fixture) {
		h.setClock(noon.Add(8 * time.Hour))
		h.apply(create(0, lunch))
		h.setClock(noon)
		posted, err := h.ledger.CreateExpense(h.t.Context(), h.user.ID, ledger.ExpenseCreation{
			Draft:  models.Draft{Description: "Lunch", Amount: 12_500_000, Category: "food", Type: "expense"},
			Author: models.Author{DeviceID: device}, Posted: true,
		})
		if err != nil || !posted.Date.Equal(noon) || !posted.LastSyncedAt.After(noon.Add(8*time.Hour)) {
			h.t.Errorf("posted %+v, %v", posted, err)
		}
		rs := h.apply(create(noon.Sub(nine).Milliseconds(), lunch), timeless(of("device_2", create(0, lunch))))
		h.wantStatuses(rs, models.StatusDuplicate, models.StatusCreated)
		if !rs[1].Expense.Date.Equal(noon) {
			h.t.Errorf("dated %v", rs[1].Expense.Date)
		}
		h.checkLog()
	})
}

// The device's clock is an hour ahead, so the queue of its last user seemed to be newer than
// the sign-out and was applied for the next user.
func TestDecision13AClockThatRunsAheadGaveTheQueueToTheNextAccount(t *testing.T) {
	each(t, func(h *fixture) {
		bob := storetest.User(h.t, h.store).ID
		h.apply(create(0, lunch)) // alice, at noon, on the device; then she goes offline and queues on
		h.setClock(noon.Add(10 * time.Minute))
		ahead := create(noon.Add(time.Hour).Sub(nine).Milliseconds(), lunch)
		by := models.Author{TokenIssued: noon.Add(9 * time.Minute), Browser: browser}
		rs, err := h.Apply(h.t.Context(), bob, by, []models.Operation{ahead})
		if err != nil {
			h.t.Fatal(err)
		}
		h.wantStatuses(rs, models.StatusParked)
		rs, err = h.Apply(h.t.Context(), bob, by, []models.Operation{create(noon.Add(2*time.Hour).Sub(nine).Milliseconds(), lunch)})
		if err != nil {
			h.t.Fatal(err)
		}
		h.wantStatuses(rs, models.StatusCreated) // by now the device is bob's
	})
}

func TestDecision5ALongNameIsOneOperationsName(t *testing.T) {
	each(t, func(h *fixture) {
		long := strings.Repeat("☃", 256)
		op := named(long, of(long, create(0, lunch)))
		rs := h.apply(op, of(long, update(1, long, `{"notes":"n"}`)), op)
		if rs[0].Status != models.StatusCreated || rs[1].Status != models.StatusUpdated || rs[2].Status != models.StatusCreated {
			h.t.Errorf("%v", statuses(rs))
		}
		if len(h.list()) != 2 || len(h.apply(op)) != 1 || len(h.list()) != 2 {
			h.t.Errorf("%d expenses", len(h.list()))
		}
	})
}

func TestTwoThousandOperationsInOneBatch(t *testing.T) {
	eachWith(t, reconcile.Options{}, func(h *fixture) {
		ops := make([]models.Operation, 2000)
		for i := range ops {
			ops[i] = create(int64(i), lunch)
		}
		answer := h.apply(ops...)
		if len(h.list()) != 2000 || len(h.log()) != 2000 {
			h.t.Errorf("%d expenses, %d changes", len(h.list()), len(h.log()))
		}
		if diff := cmp.Diff(answer, h.apply(ops...)); diff != "" {
			h.t.Errorf("replay:\n%s", diff)
		}
	})
}

func TestR9RetryAndDiscard(t *testing.T) {
	each(t, func(h *fixture) {
		ctx, by := h.t.Context(), models.Author{DeviceID: "page"}
		bad := create(0, `{"description":"Rent","amount":-1,"category":"bills","type":"expense"}`)
		h.apply(bad)
		id := h.onlyPending().ID

		r, err := h.Retry(ctx, h.user.ID, by, id, nil)
		if err != nil || r.Status != models.StatusParked {
			h.t.Errorf("as it was: %+v, %v", r, err)
		}
		r, err = h.Retry(ctx, h.user.ID, by, id, json.RawMessage(`{"amount":1}`))
		if err != nil || r.Status != models.StatusParked || !strings.Contains(string(h.onlyPending().Data), "Rent") {
			h.t.Errorf("with worse data: %+v, %v; kept %s", r, err, h.onlyPending().Data)
		}
		good := json.RawMessage(`{"description":"Rent","amount":900,"category":"bills","type":"expense"}`)
		r, err = h.Retry(ctx, h.user.ID, by, id, good)
		if err != nil || r.Status != models.StatusCreated || !r.Expense.Date.Equal(nine) || r.ResourceID != bad.ResourceID {
			h.t.Errorf("with good data: %+v, %v", r, err)
		}
		again, err := h.Retry(ctx, h.user.ID, by, id, good)
		if diff := cmp.Diff(r, again); err != nil || diff != "" || len(h.list()) != 1 {
			h.t.Errorf("twice: %v\n%s", err, diff)
		}
		if diff := cmp.Diff(r, h.apply(bad)[0]); diff != "" || len(h.list()) != 1 {
			h.t.Errorf("the browser sends it again (-retried +replayed):\n%s", diff)
		}
		if got := h.log()[0].Author.DeviceID; got != "page" {
			h.t.Errorf("the event's device is %q", got)
		}
		h.wantStatuses(h.apply(update(5, bad.ResourceID, `{"notes":"n"}`)), models.StatusUpdated)
		if err := h.Discard(ctx, h.user.ID, id); models.KindOf(err) != models.NotFound {
			h.t.Errorf("discard what is applied: %v", err)
		}

		worse := create(1, `{}`)
		parked := h.apply(worse)
		other := h.onlyPending().ID
		if err := h.Discard(ctx, h.user.ID, other); err != nil || len(h.pending()) != 0 {
			h.t.Errorf("discard: %v", err)
		}
		if diff := cmp.Diff(parked, h.apply(worse)); diff != "" || len(h.pending()) != 0 {
			h.t.Errorf("what was discarded came again (-first +second):\n%s", diff)
		}
		for _, gone := range []string{other, storetest.ID(), "x", ""} {
			if _, err := h.Retry(ctx, h.user.ID, by, gone, nil); models.KindOf(err) != models.NotFound {
				h.t.Errorf("retry %q: %v", gone, err)
			}
			if err := h.Discard(ctx, h.user.ID, gone); models.KindOf(err) != models.NotFound {
				h.t.Errorf("discard %q: %v", gone, err)
			}
		}
		h.checkLog()
	})
}

func TestR9AConflictIsSettledByNewData(t *testing.T) {
	each(t, func(h *fixture) {
		id := h.apply(create(0, lunch))[0].Expense.ID
		h.apply(update(1, id, `{"notes":"a"}`), update(2, id, `{"notes":"b","version":1}`))
		op := h.onlyPending().ID
		if r, err := h.Retry(h.t.Context(), h.user.ID, models.Author{}, op, nil); err != nil || r.Current == nil {
			h.t.Errorf("as it was: %+v, %v", r, err)
		}
		r, err := h.Retry(h.t.Context(), h.user.ID, models.Author{}, op, json.RawMessage(`{"notes":"b","version":2}`))
		if err != nil || r.Status != models.StatusUpdated || h.list()[0].Notes != "b" || len(h.pending()) != 0 {
			h.t.Errorf("having seen it: %+v, %v", r, err)
		}
	})
}
