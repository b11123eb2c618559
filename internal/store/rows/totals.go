package rows

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strconv"

	"expenseflow/models"
)

// models.Totals are kept as JSON: {currency: [units and millionths of the income, of what
// was spent, count of entries]}. They are written by hand, for every change writes them.

func encodeTotals(field reflect.Value) any {
	b := []byte{'{'}
	for i, c := range field.Interface().(models.Totals) {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(append(append(b, '"'), c.Currency...), `":`...) // letters alone
		for j, n := range []int64{c.Income.Units, c.Income.Micros, c.Expense.Units, c.Expense.Micros, c.Count} {
			b = strconv.AppendInt(append(b, "[,,,,"[j]), n, 10)
		}
		b = append(b, ']')
	}
	return string(append(b, '}'))
}

func decodeTotals(field reflect.Value, column any) error {
	if field.SetZero(); column == "{}" {
		return nil
	}
	s, err := text(column)
	if err != nil {
		return err
	}
	var byCurrency map[string][5]int64
	if err := json.Unmarshal([]byte(s), &byCurrency); err != nil {
		return fmt.Errorf("totals of a user: %w", err)
	}
	var all models.Totals
	for _, currency := range slices.Sorted(maps.Keys(byCurrency)) {
		n := byCurrency[currency]
		all = append(all, models.CurrencyTotal{
			Currency: currency, Count: n[4],
			Income: models.Sum{Units: n[0], Micros: n[1]}.Normalized(), Expense: models.Sum{Units: n[2], Micros: n[3]}.Normalized(),
		})
	}
	field.Set(reflect.ValueOf(all))
	return nil
}
