package original

// MapDocument maps bytes as a document of each collection, for fuzzing.
func MapDocument(raw []byte) {
	d, err := parse(raw)
	if err != nil {
		return
	}
	c := &Collection{}
	_, _ = account(d, c)
	for _, m := range mappers {
		_, _ = m(d, c)
	}
}
