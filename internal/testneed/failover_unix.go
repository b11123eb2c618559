//go:build unix

package testneed

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/jackc/pgx/v5"
)

// Addr is where the server listens, host:port.
func (s *Server) Addr() string { return fmt.Sprintf("127.0.0.1:%d", s.port) }

// StartStandby is Standby for programs: an asynchronous one, which ends with Close.
func (s *Server) StartStandby() (*Server, error) { return s.standby() }

// FailOver ends s and makes its standby the primary. With a crash the standby has what
// it had received by then; otherwise it has everything. Afterwards s is of no more use
// and its data is gone.
func (s *Server) FailOver(standby *Server, crash bool) error {
	if err := s.Halt(!crash); err != nil {
		return err
	}
	if err := os.RemoveAll(s.dir); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	promoted, err := standby.Count(ctx, "SELECT pg_promote(true, 30)::int")
	if err == nil && promoted != 1 {
		err = errors.New("the standby does not become the primary")
	}
	return err
}

// Count is the number that a query gives, of one row.
func (s *Server) Count(ctx context.Context, query string) (n int64, err error) {
	conn, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		return 0, err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	if err := conn.QueryRow(ctx, query).Scan(&n); err != nil {
		return 0, fmt.Errorf("%s: %w", query, err)
	}
	return n, nil
}
