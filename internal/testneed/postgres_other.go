//go:build !unix

package testneed

import (
	"context"
	"errors"
	"testing"
)

// Postgres is the URL of a PostgreSQL server that belongs to this test binary.
// It is not started on this system: name one in TEST_POSTGRES_DSN.
func Postgres(t testing.TB) string {
	t.Helper()
	missing(t, "PostgreSQL in TEST_POSTGRES_DSN, for it is started on Unix only")
	return ""
}

// NewPostgres is a server of this test's own; not on this system.
func NewPostgres(t testing.TB) *Server {
	t.Helper()
	missing(t, "PostgreSQL on Unix")
	return nil
}

// DurablePostgres is a server for programs; not on this system.
func DurablePostgres() (url string, stop func(), err error) {
	return "", nil, errors.New("PostgreSQL is started on Unix only")
}

// PrivatePostgres is a server for programs that stop and start it; not on this
// system.
func PrivatePostgres() (*Server, error) {
	return nil, errors.New("PostgreSQL is started on Unix only")
}

// HasPostgres makes sure that PrivatePostgres will find PostgreSQL; not on this
// system.
func HasPostgres(t testing.TB) {
	t.Helper()
	missing(t, "PostgreSQL on Unix")
}

func findPostgres() (string, bool) { return "", false }

// A Server is a private PostgreSQL cluster; never made on this system.
type Server struct{ URL string }

// Stop ends the server.
func (s *Server) Stop(t testing.TB) { t.Helper() }

// Start starts it again.
func (s *Server) Start(t testing.TB) { t.Helper() }

// Halt is Stop for programs.
func (s *Server) Halt(bool) error { return errors.ErrUnsupported }

// Resume is Start for programs.
func (s *Server) Resume() error { return errors.ErrUnsupported }

// Close ends the server.
func (s *Server) Close() {}

// Standby is a streaming standby of s.
func (s *Server) Standby(testing.TB, bool) *Server { return s }

// Lag has a standby receive nothing from now on.
func (s *Server) Lag(testing.TB) {}

// Promote makes a standby the primary.
func (s *Server) Promote(testing.TB) {}

// Has tells whether a query of one truth is true.
func (s *Server) Has(testing.TB, string) bool { return false }

// SeveralHosts is a URL of all these servers.
func SeveralHosts(servers ...*Server) string { return servers[0].URL }

// Addr is where the server listens.
func (s *Server) Addr() string { return "" }

// StartStandby is Standby for programs.
func (s *Server) StartStandby() (*Server, error) { return nil, errors.ErrUnsupported }

// StopReceiving has a standby receive nothing more.
func (s *Server) StopReceiving() error { return errors.ErrUnsupported }

// FailOver makes a standby the primary.
func (s *Server) FailOver(*Server, bool) error { return errors.ErrUnsupported }

// Count is the number that a query gives.
func (s *Server) Count(context.Context, string) (int64, error) { return 0, errors.ErrUnsupported }
