package main

import (
	"context"
	"encoding/json"
	"fmt"
	"iter"
	"net/http"
	"time"

	"expenseflow/internal/e2e/process"
)

// An entry is an expense as the page sends it.
type entry struct {
	Description string  `json:"description"`
	Merchant    string  `json:"merchant"`
	Amount      float64 `json:"amount"`
	Category    string  `json:"category"`
	Type        string  `json:"type"`
	Currency    string  `json:"currency"`
	Date        string  `json:"date"`
	Day         string  `json:"day"`
}

// An operation is one of a batch.
type operation struct {
	Action       string `json:"action"`
	ResourceType string `json:"resourceType"`
	ResourceID   string `json:"resourceId"`
	Data         entry  `json:"data"`
	DeviceID     string `json:"deviceId"`
	Timestamp    int64  `json:"timestamp"`
}

var (
	texts      = []string{"Groceries", "Coffee", "Lunch", "Rent", "Train ticket", "Cinema", "Pharmacy", "Books", "Dinner"}
	merchants  = []string{"Greenleaf", "Corner Market", "Café Aurora", "Northline", "Page & Co", "Lumen", ""}
	categories = []string{"food", "transport", "entertainment", "utilities", "healthcare", "shopping", "bills", "travel"}
)

const years = 8 // over which the entries of the account that is like a person's are spread

// spread returns n entries of the last years.
func spread(today time.Time, n int) iter.Seq2[int, entry] {
	return entries(n, func(i int) time.Time { return today.AddDate(0, 0, -i*years*365/n) })
}

// inMonth returns n entries of the present month.
func inMonth(today time.Time, n int) iter.Seq2[int, entry] {
	return entries(n, func(i int) time.Time { return today.AddDate(0, 0, -i*today.Day()/n) })
}

func entries(n int, day func(i int) time.Time) iter.Seq2[int, entry] {
	return func(yield func(int, entry) bool) {
		for i := range n {
			date := day(i).UTC()
			e := entry{
				Description: fmt.Sprintf("%s %d", texts[i%len(texts)], i), Merchant: merchants[i%len(merchants)],
				Amount: float64(100+i*37%9900) / 100, Category: categories[i%len(categories)], Type: "expense", Currency: "EUR",
				Date: date.Format(time.RFC3339), Day: date.Format(time.DateOnly),
			}
			if i%50 == 0 {
				e.Category, e.Type = "salary", "income"
			}
			if !yield(i, e) {
				return
			}
		}
	}
}

// perBatch is how many operations are sent at once: less than a body may hold.
const perBatch = 1000

// fill makes an account with these entries.
func fill(ctx context.Context, addr, email string, all iter.Seq2[int, entry]) (session, error) {
	s, err := register(ctx, addr, email)
	if err != nil {
		return s, err
	}
	var waiting []operation
	for i, e := range all {
		waiting = append(waiting, operation{
			Action: "CREATE", ResourceType: "expense", ResourceID: fmt.Sprintf("temp_%d", i+1), Data: e,
			DeviceID:  "device_" + email, // of this account alone
			Timestamp: int64(i + 1),
		})
		if len(waiting) == perBatch {
			if err := send(ctx, addr, s.Token, waiting); err != nil {
				return s, err
			}
			waiting = waiting[:0]
		}
	}
	return s, send(ctx, addr, s.Token, waiting)
}

func send(ctx context.Context, addr, token string, operations []operation) error {
	if len(operations) == 0 {
		return nil
	}
	body, err := json.Marshal(map[string]any{"operations": operations})
	if err != nil {
		return err
	}
	a, err := process.Send(ctx, http.DefaultClient, http.MethodPost, "http://"+addr+"/api/sync/batch", token, string(body))
	if err != nil {
		return err
	}
	var answer struct {
		Results []struct{ Success bool }
	}
	a.Into(&answer)
	for _, r := range answer.Results {
		if !r.Success {
			return fmt.Errorf("a batch was not applied: %.300s", a.Body)
		}
	}
	if len(answer.Results) != len(operations) {
		return fmt.Errorf("a batch was refused: %d %.300s", a.Status, a.Body)
	}
	return nil
}
