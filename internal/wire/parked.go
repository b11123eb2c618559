package wire

import (
	"strconv"
	"strings"

	"expenseflow/models"
)

// ParseParkedPlace parses a parameter that is a place in the list of parked operations, as
// ParkedPlace writes it. An empty "after" is the place before the first; an empty "through"
// is an error. Errors are models.Invalid.
func ParseParkedPlace(name, s string) (p models.ParkedPlace, err error) {
	if s == "" && name == "after" {
		return p, nil
	}
	at, id, _ := strings.Cut(s, "-")
	ms, err := strconv.ParseUint(at, 10, 63)
	if err != nil || !models.IsID(id) {
		return p, invalid(`"` + name + `" must be a place in the list of pending operations`)
	}
	return models.ParkedPlace{CreatedAt: int64(ms), ID: id}, nil
}

func appendParkedPlace(b []byte, p models.ParkedPlace) []byte {
	b = strconv.AppendInt(append(b, '"'), p.CreatedAt, 10)
	return append(append(append(b, '-'), p.ID...), '"')
}

// AppendParkedPage appends {operations, total, next, last}: next is the place of the next
// page, last that of the newest operation of all; each is null if there is none.
func AppendParkedPage(b []byte, p *models.ParkedPage) []byte {
	b = append(b, `{"operations":[`...)
	for i := range p.Operations {
		if i > 0 {
			b = append(b, ',')
		}
		b = AppendQueuedOperation(b, &p.Operations[i])
	}
	b = strconv.AppendInt(append(b, `],"total":`...), p.Total, 10)
	next := models.ParkedPlace{}
	if n := len(p.Operations); n > 0 && p.More {
		next = p.Operations[n-1].Place()
	}
	b = appendPlaceOrNull(append(b, `,"next":`...), next)
	b = appendPlaceOrNull(append(b, `,"last":`...), p.Last)
	return append(b, '}')
}

func appendPlaceOrNull(b []byte, p models.ParkedPlace) []byte {
	if p == (models.ParkedPlace{}) {
		return append(b, "null"...)
	}
	return appendParkedPlace(b, p)
}

// A DiscardedPage is the response to DELETE /api/sync/pending.
type DiscardedPage struct {
	Discarded int64 `json:"discarded"`
	Left      int64 `json:"left"` // up to the place of the request
}

// A RetriedPage is the response to POST /api/sync/pending/retry.
type RetriedPage struct {
	Applied int64   `json:"applied"`
	Failed  int64   `json:"failed"`
	Next    *string `json:"next"` // null: that was all
}

// NewRetriedPage returns the response.
func NewRetriedPage(p *models.RetriedPage) RetriedPage {
	r := RetriedPage{Applied: p.Applied, Failed: p.Failed}
	if p.More {
		next := strings.Trim(string(appendParkedPlace(nil, p.Next)), `"`)
		r.Next = &next
	}
	return r
}
