package importer

import (
	"expenseflow/internal/bankfile"
	"expenseflow/internal/wire"
)

// How many rows responses have: of a preview the first, and of each the duplicate, the refused
// and the parked ones.
const (
	previewRows   = 100
	maxDuplicates = 1000
	maxRefused    = 200
	maxParked     = 200
)

// A shown counts rows and keeps those that the response has.
type shown struct {
	totals wire.ImportTotals
	rows   []wire.ImportRow
	first  int64 // of the first rows, whatever they are
}

func newShown(first int64) *shown { return &shown{first: first, rows: []wire.ImportRow{}} }

func (s *shown) add(rows []*row) {
	for _, r := range rows {
		s.totals.Rows++
		keep := s.totals.Rows <= s.first
		switch r.status {
		case wire.RowNew:
			s.totals.New++
		case wire.RowDuplicate:
			s.totals.Duplicates++
			keep = keep || s.totals.Duplicates <= maxDuplicates
		case wire.RowRefused:
			s.totals.Refused++
			keep = keep || s.totals.Refused <= maxRefused
		case wire.RowParked:
			s.totals.Parked++
			keep = keep || s.totals.Parked <= maxParked
		}
		if keep {
			s.rows = append(s.rows, r.document())
		}
	}
}

// document returns the row of a response.
func (r *row) document() wire.ImportRow {
	d := wire.ImportRow{Line: r.Line, Status: r.status, Reason: r.reason, Existing: r.existing}
	if r.Problem != "" {
		d.Description = r.Description
		return d
	}
	d.Date, d.Amount, d.Type, d.Currency = r.Day.String(), wire.Amount(r.draft.Amount), r.draft.Type, r.draft.Currency
	d.Description, d.Merchant, d.Category = r.draft.Description, r.draft.Merchant, r.draft.Category
	d.Notes, d.Tags = r.draft.Notes, r.draft.Tags.List()
	return d
}

// newPreview returns how a file is read.
func newPreview(f *bankfile.File) *wire.ImportPreview {
	m, columns := f.Mapping, map[string]int{}
	for field, n := range m.Columns {
		columns[string(field)] = n
	}
	p := &wire.ImportPreview{
		Source: f.Kind, Columns: []wire.ImportColumn{}, Questions: []wire.ImportQuestion{}, Rows: []wire.ImportRow{},
		Mapping: wire.ImportMapping{
			Delimiter: m.Delimiter, Encoding: m.Encoding, Decimal: m.Decimal, Dates: m.Dates, Sign: m.Sign, Header: m.Header,
			Currency: m.Currency, Columns: columns,
		},
	}
	if f.App != "" {
		p.Source = f.App
	}
	for _, c := range f.Columns {
		p.Columns = append(p.Columns, wire.ImportColumn{Name: c.Name, Sample: c.Sample})
	}
	for _, q := range f.Questions {
		p.Questions = append(p.Questions, wire.ImportQuestion{Parameter: q, Question: bankfile.Ask(q)})
	}
	return p
}
