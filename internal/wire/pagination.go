package wire

import "strconv"

// Pagination is the position of a page in a list. Page counts from 1; an empty list has
// 0 pages.
type Pagination struct {
	Total int64 `json:"total"`
	Page  int   `json:"page"`
	Limit int   `json:"limit"`
	Pages int64 `json:"pages"`
}

func pagination(total int64, page, limit int) Pagination {
	return Pagination{Total: total, Page: page, Limit: limit, Pages: (total + int64(limit) - 1) / int64(limit)}
}

// ParseLimit parses the parameter limit: an integer from 1 to most; otherwise for "".
// The error is models.Invalid.
func ParseLimit(s string, otherwise, most int) (int, error) {
	if s == "" {
		return otherwise, nil
	}
	n, err := strconv.Atoi(s)
	switch {
	case err != nil:
		return 0, invalid(`"limit" must be an integer`)
	case n < 1:
		return 0, invalid(`"limit" must be greater than or equal to 1`)
	case n > most:
		return 0, invalid(`"limit" must be less than or equal to ` + strconv.Itoa(most))
	}
	return n, nil
}
