package testneed

import "testing"

// Postgres is the URL of a server that belongs to this test binary.
func Postgres(t testing.TB) string {
	t.Helper()
	missing(t, "PostgreSQL (Debian: apt install postgresql)")
	return ""
}
