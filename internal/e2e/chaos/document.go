package main

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"time"
)

// A document is an expense as the server writes it, the author's device apart.
type document struct {
	ID          string      `json:"_id"`
	User        string      `json:"user"`
	Description string      `json:"description"`
	Amount      json.Number `json:"amount"`
	Category    string      `json:"category"`
	Type        string      `json:"type"`
	Date        string      `json:"date"`
	Notes       string      `json:"notes"`
	CreatedAt   string      `json:"createdAt"`
	UpdatedAt   string      `json:"updatedAt"`
	Version     int64       `json:"version"`
}

// A change is one entry of a user's log, from the log itself or from an event.
type change struct {
	Seq      int64     `json:"seq"`
	Event    string    `json:"event"`
	Expense  document  `json:"expense"`
	DeviceID string    `json:"deviceId"`
	At       time.Time `json:"at"` // of the commit; zero in an event
}

// same reports whether both tell of the same change, wherever they were read.
func (c change) same(d change) bool {
	c.At, d.At = time.Time{}, time.Time{}
	return c == d
}

// String names the change shortly.
func (c change) String() string {
	return fmt.Sprintf("%d %s %s v%d %q", c.Seq, strings.TrimPrefix(c.Event, "expense_"), c.Expense.ID, c.Expense.Version,
		c.Expense.Description)
}

// readEvent reads an event's arguments: the document with its author's device, and
// the offset: epoch, user, sequence, and where a change makes several events the
// number among them.
func readEvent(name string, args []json.RawMessage) (h hearing, err error) {
	if len(args) != 2 {
		return h, fmt.Errorf("%s with %d arguments", name, len(args))
	}
	var author struct{ DeviceID string }
	if err := json.Unmarshal(args[0], &h.Expense); err != nil {
		return h, err
	}
	if err := json.Unmarshal(args[0], &author); err != nil {
		return h, err
	}
	parts := strings.Split(text(args[1]), ".")
	if len(parts) < 3 || len(parts) > 4 {
		return h, fmt.Errorf("%s with the offset %s", name, args[1])
	}
	h.Event, h.DeviceID, h.user = strings.Replace(name, ":", "_", 1), author.DeviceID, parts[1]
	h.Seq, err = strconv.ParseInt(parts[2], 36, 64)
	return h, err
}

// An image is a user's expenses by id: what a log, a list or a device amounts to.
type image map[string]document

func imageOf(list []document) image {
	m := make(image, len(list))
	for _, d := range list {
		m[d.ID] = d
	}
	return m
}

// apply makes one change, and says what is wrong if it cannot follow.
func (m image) apply(c change) (wrong string) {
	before, there := m[c.Expense.ID]
	switch {
	case c.Event == "expense_created" && there:
		wrong = "created although it is there"
	case c.Event == "expense_created" && c.Expense.Version != 1:
		wrong = "created with another version than 1"
	case c.Event != "expense_created" && !there:
		wrong = "tells of an expense that is not there"
	case c.Event == "expense_updated" && c.Expense.Version != before.Version+1:
		wrong = fmt.Sprintf("comes after version %d", before.Version)
	}
	if c.Event == "expense_deleted" {
		delete(m, c.Expense.ID)
	} else {
		m[c.Expense.ID] = c.Expense
	}
	return wrong
}

// diff names what is different, at most a few of it.
func (m image) diff(want image) []string {
	var out []string
	for id, d := range want {
		if got, there := m[id]; !there {
			out = append(out, "without "+describe(d))
		} else if got != d {
			out = append(out, describe(got)+" instead of "+describe(d))
		}
	}
	for id, d := range m {
		if _, there := want[id]; !there {
			out = append(out, "with "+describe(d))
		}
	}
	return out[:min(len(out), 5)]
}

func describe(d document) string {
	return fmt.Sprintf("%s v%d %q", d.ID, d.Version, d.Description)
}
