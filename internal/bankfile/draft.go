package bankfile

import (
	"crypto/sha256"
	"encoding/hex"
	"slices"
	"strings"

	"expenseflow/models"
)

// Key returns what names the entry of a row in every export of its account: a hash of the
// account, the bank's id, the day, the amount and the texts. Entries that are equal in all of
// them have one Key; they are told apart by their order.
func (r *Row) Key() string {
	parts := []string{"row", r.Account, r.Day.String(), r.Amount.String(), r.Currency}
	if r.ID != "" {
		parts = append(parts, "id", r.ID)
	} else {
		parts = append(parts, "text", r.Description, r.Merchant, r.Notes)
	}
	sum := sha256.Sum256([]byte(strings.Join(parts, "\x00")))
	return hex.EncodeToString(sum[:])
}

// Draft returns the entry of a row without a Problem. Texts that are too long are cut; the
// whole description is in the notes then. A category that this program does not have becomes a
// tag.
func (r *Row) Draft() models.Draft {
	day := r.Day
	at := day.Time()
	d := models.Draft{Amount: max(r.Amount, -r.Amount), Type: "expense", Date: &at, Day: &day, Currency: r.Currency}
	if r.Amount > 0 {
		d.Type = "income"
	}
	d.Description, d.Notes = r.title(), r.Notes
	if full := d.Description; models.UTF16Len(full) > models.MaxDescription {
		d.Description, d.Notes = shorten(full, models.MaxDescription), strings.TrimSpace(full+"\n"+d.Notes)
	}
	if d.Notes = shorten(d.Notes, models.MaxNotes); d.Notes == d.Description {
		d.Notes = ""
	}
	if r.Merchant != d.Description {
		d.Merchant = shorten(r.Merchant, models.MaxMerchant)
	}
	tags := r.Tags
	category, known := categoryOf(r.Category)
	if d.Category = category; !known && r.Category != "" {
		tags = append(slices.Clone(tags), r.Category)
	}
	d.Tags = fittingTags(tags)
	return d.Normalize()
}

// title returns what the entry is called: the first text that the row has.
func (r *Row) title() string {
	for _, s := range []string{r.Description, r.Merchant, r.Notes, r.Category, r.Account} {
		if s != "" {
			return s
		}
	}
	return "Imported"
}

func fittingTags(tags []string) models.Tags {
	kept := make([]string, 0, len(tags))
	for _, t := range tags {
		kept = append(kept, shorten(strings.TrimSpace(t), models.MaxTag))
	}
	list := models.NewTags(kept).List()
	return models.NewTags(list[:min(len(list), models.MaxTags)])
}

// categoryWords are beginnings of the names of categories in other programs.
var categoryWords = map[string][]string{
	"food": {
		"food", "grocer", "dining", "restaurant", "coffee", "lebensmittel", "essen", "eating", "alimentation", "supermarket",
		"boodschappen", "comida", "spesa", "fast food", "lunch",
	},
	"transport": {
		"transport", "auto", "car", "gas &", "fuel", "gas", "taxi", "parking", "benzin", "public trans", "ride", "bus", "train",
	},
	"entertainment": {
		"entertain", "movies", "music", "hobb", "games", "freizeit", "fun", "sport", "subscription", "streaming", "leisure", "loisirs",
	},
	"utilities":  {"utilit", "electric", "water", "internet", "phone", "mobile", "strom", "energy"},
	"healthcare": {"health", "medic", "doctor", "pharma", "gesundheit", "dent", "sante"},
	"shopping":   {"shop", "cloth", "electronics", "household", "gifts", "kleidung", "haushalt", "amazon"},
	"bills":      {"bill", "rent", "miete", "insur", "versicherung", "mortgage", "housing", "tax", "loan", "fees", "bank fee"},
	"education":  {"educat", "school", "books", "tuition", "bildung", "course"},
	"travel":     {"travel", "vacation", "holiday", "hotel", "flight", "reise", "urlaub", "trip"},
	"salary":     {"salary", "paycheck", "wage", "gehalt", "lohn", "income", "payroll", "salaire", "stipendio"},
	"freelance":  {"freelanc", "business income", "consult"},
	"investment": {"invest", "dividend", "interest", "stocks"},
}

// categoryOf returns the category that a name of another program means; known is false if it
// says more than that category, so that it is worth keeping.
func categoryOf(name string) (category string, known bool) {
	lower := strings.ToLower(strings.TrimSpace(name))
	if slices.Contains(models.Categories, lower) {
		return lower, true
	}
	for _, part := range append([]string{lower}, strings.Split(lower, ":")...) {
		for _, c := range models.Categories {
			for _, w := range categoryWords[c] {
				if strings.HasPrefix(strings.TrimSpace(part), w) {
					return c, false
				}
			}
		}
	}
	return "other", lower == "" || lower == "uncategorized"
}
