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

// StopReceiving has a standby receive nothing more: it lacks what is committed from now on.
func (s *Server) StopReceiving() error {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		return err
	}
	defer conn.Close(context.WithoutCancel(ctx))
	for _, statement := range []string{"ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()"} {
		if _, err := conn.Exec(ctx, statement); err != nil {
			return fmt.Errorf("%s: %w", statement, err)
		}
	}
	for n := int64(1); n > 0; time.Sleep(10 * time.Millisecond) {
		if n, err = s.Count(ctx, "SELECT count(*) FROM pg_stat_wal_receiver"); err != nil {
			return err
		}
	}
	return nil
}

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
