package portable

import (
	"fmt"
	"unicode/utf8"

	"expenseflow/models"
)

// invalidf returns an error of models.Invalid with one sentence for the user.
func invalidf(format string, args ...any) error {
	return models.E(models.Invalid, "This file cannot be imported: "+fmt.Sprintf(format, args...))
}

// clip returns at most 40 bytes of a text of a file, for a sentence.
func clip(s string) string {
	const most = 40
	if len(s) <= most {
		return s
	}
	cut := most
	for cut > 0 && !utf8.RuneStart(s[cut]) {
		cut--
	}
	return s[:cut] + "…"
}
