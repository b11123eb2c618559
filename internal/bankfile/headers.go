package bankfile

import (
	"strings"
	"unicode"
)

// headerWords are the names of columns as banks and programs write them, in the form of
// plainWord, the likeliest first.
var headerWords = map[Field][]string{
	Date: {
		"date", "transactiondate", "posteddate", "postingdate", "postedtransactionsdate", "bookingdate", "transdate", "time",
		"completeddate", "datecompleted", "starteddate", "valuedate", "buchungstag", "buchungsdatum", "buchung", "belegdatum",
		"wertstellung", "valutadatum", "valuta", "datum", "boekdatum", "transactiedatum", "dateoperation", "datedoperation",
		"datecomptable", "datevaleur", "datedexecution", "fecha", "fechaposteo", "fechaoperacion", "fechavalor", "data",
		"datacontabile", "dataoperazione", "datavaluta", "datamov", "datalancamento", "datum transakce", "datazlecenia",
		"dataoperacji", "dataksiegowania", "konyveles datuma", "datumtransakcie", "bokforingsdag", "transaktionsdatum",
		"bogforingsdato",
		"dato", "paivamaara", "kirjauspaiva", "konyvelesdatuma", "tranzakciodatuma", "posted", "created", "timestamp", "datetime",
		"createdat", "交易时间", "日期",
	},
	Amount: {
		"amount", "transactionamount", "amt", "betrag", "umsatz", "betrageur", "bedrag", "bedrageur", "montant", "importe", "monto",
		"importo", "valor", "valore", "kwota", "kwotaoperacji", "castka", "osszeg", "belopp", "belob", "summa", "value", "net",
		"netamount", "amountlocalcurrency", "amountnumeric", "sum", "total", "金额",
	},
	Debit: {
		"debit", "debitamount", "outflow", "withdrawal", "withdrawals", "withdrawalamt", "withdrawalamount", "paidout", "moneyout",
		"out", "soll", "belastung", "lastschrift", "ausgabe", "ausgaben", "af", "uit", "dépense", "depense", "sortie", "cargo",
		"cargos", "addebiti", "addebito", "uscite", "dare", "wydatek", "obciazenia", "spent", "expense", "expenses", "dr",
	},
	Credit: {
		"credit", "creditamount", "inflow", "deposit", "deposits", "depositamt", "depositamount", "paidin", "moneyin", "in",
		"haben", "gutschrift", "einnahme", "einnahmen", "bij", "recette", "entree", "abono", "abonos", "accrediti", "accredito",
		"entrate", "avere", "przychod", "uznania", "received", "income", "cr",
	},
	Type: {
		"transactiontype", "type", "creditdebit", "debitcredit", "creditdebitindicator", "drcr", "crdr", "afbij", "sollhaben",
		"umsatzart", "umsatztyp", "debitcreditindicator", "typ", "tipo", "soort", "irany", "收支",
	},
	Description: {
		"description", "transactiondescription", "verwendungszweck", "purpose", "buchungstext", "buchungsdetails", "details",
		"omschrijving", "naamomschrijving", "mededelingen",
		"libelle", "libelleoperation", "concepto", "descrizione", "descricao", "opis", "tytul",
		"popis", "narrative", "narration", "particulars", "transactiondetails", "transactionremarks", "beskrivning", "text",
		"tekst", "selite", "rubrik", "communication", "description1", "originaldescription", "reference", "title",
		"causale", "kozlemeny", "reason", "subject", "betreff", "name", "memo", "notiz", "note", "商品说明",
	},
	Merchant: {
		"payee", "merchant", "merchantname", "counterparty", "counterpartyname", "partnername", "partner", "beneficiary",
		"auftraggeberempfanger", "zahlungsempfangerin", "zahlungsempfanger", "empfanger", "begunstigterzahlungspflichtiger",
		"beguenstigterzahlungspflichtiger", "namezahlungsbeteiligter", "destinationname", "tegenpartij", "naamtegenpartij",
		"tegenrekeninghouder", "contrepartie", "beneficiaire", "beneficiario", "nadawcaodbiorca", "kontrahent", "mottagare",
		"saaja", "payeename", "payer", "vendor", "shop", "交易对方",
	},
	Category: {"category", "categorygroupcategory", "kategorie", "kategoria", "categorie", "categoria", "subcategory"},
	Notes: {
		"notes", "note", "memo", "comment", "comments", "bemerkung", "remarks", "kommentar", "notiz", "notizen", "remark",
	},
	Tags: {"tags", "labels", "label", "tag"},
	Account: {
		"account", "accountname", "sourcename", "postedaccount", "auftragskonto", "accountnumber", "iban", "rekening", "konto",
	},
	CurrencyField: {
		"currency", "currencycode", "ccy", "wahrung", "waehrung", "munt", "devise", "deviseducompte", "moneda", "divisa", "valuta",
		"waluta", "mena", "devizanem", "postedcurrency", "accountcurrency",
	},
	ID: {"transactionid", "id", "fitid", "referenceno", "transactionreference", "txnid", "transaktionsid"},
}

// headerOrder is the order in which fields choose among the columns: valuta is a date in one
// country and a currency in another.
var headerOrder = []Field{
	Date, Amount, Debit, Credit, Merchant, Description, Notes, Category, CurrencyField, Type, Tags, Account, ID,
}

// columnsByName finds the fields of columns with these names. Exact names go first, then
// those that begin with a longer known one.
func columnsByName(names []string) Columns {
	plain := make([]string, len(names))
	for i, n := range names {
		plain[i] = plainWord(n)
	}
	found, taken := Columns{}, make([]bool, len(names))
	for _, matches := range []func(name, word string) bool{equalWords, beginsWith} {
		for _, f := range headerOrder {
			if i := findColumn(plain, taken, headerWords[f], matches); found[f] == 0 && i >= 0 && !found.excludes(f) {
				found[f], taken[i] = i+1, true
			}
		}
	}
	return found
}

// excludes reports whether a field is not needed beside those that were found.
func (c Columns) excludes(f Field) bool {
	split := c[Debit] > 0 && c[Credit] > 0
	return f == Amount && split || (f == Debit || f == Credit) && c[Amount] > 0
}

func equalWords(name, word string) bool { return name == word }

// minPrefix is from which length on the beginning of a name is taken for the name.
const minPrefix = 5

func beginsWith(name, word string) bool {
	return len(word) >= minPrefix && strings.HasPrefix(name, word) && !strings.Contains(name, "balance")
}

func findColumn(names []string, taken []bool, words []string, matches func(name, word string) bool) int {
	for _, w := range words {
		for i, n := range names {
			if !taken[i] && n != "" && matches(n, w) {
				return i
			}
		}
	}
	return -1
}

// plainWord returns a name in lower case without accents, spaces, signs and what is in
// parentheses: "Betrag (€)" is betrag.
func plainWord(s string) string {
	if i := strings.IndexByte(s, '('); i > 0 {
		s = s[:i]
	}
	var b strings.Builder
	for _, r := range strings.ToLower(s) {
		if plain, ok := accents[r]; ok {
			b.WriteString(plain)
		} else if unicode.IsLetter(r) || unicode.IsDigit(r) {
			b.WriteRune(r)
		}
	}
	return b.String()
}

var accents = func() map[rune]string {
	m := map[rune]string{'ß': "ss"}
	for plain, accented := range map[string]string{
		"a": "äàáâãåą", "e": "éèêëęě", "i": "íìîï", "o": "öóòôõőø", "u": "üúùûűů", "c": "çćč", "n": "ñńň", "s": "śš",
		"z": "źżž", "l": "ł", "y": "ý", "r": "ř", "d": "ď", "t": "ť",
	} {
		for _, r := range accented {
			m[r] = plain
		}
	}
	return m
}()
