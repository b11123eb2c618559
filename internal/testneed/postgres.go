//go:build unix

package testneed

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"
)

var shared struct {
	sync.Once
	server *Server
	err    error
}

// Postgres is the URL of a PostgreSQL server that belongs to this test binary.
// It starts with the first call, listens on 127.0.0.1, and ends with the
// binary, however that ends.
func Postgres(t testing.TB) string {
	t.Helper()
	bin := postgres.require(t)
	shared.Do(func() { shared.server, shared.err = newServer(bin, "off") })
	if shared.err != nil {
		t.Fatalf("start PostgreSQL: %v", shared.err)
	}
	return shared.server.URL
}

// NewPostgres is a server of this test's own, which may stop and start it. It
// ends with the test.
func NewPostgres(t testing.TB) *Server {
	t.Helper()
	s, err := newServer(postgres.require(t), "off")
	if err != nil {
		t.Fatalf("start PostgreSQL: %v", err)
	}
	t.Cleanup(func() { s.end() })
	return s
}

// A Server is a private PostgreSQL cluster.
type Server struct {
	// URL names the server and an empty database; it stays the same.
	URL string

	bin, dir string
	port     int
	owner    *syscall.Credential // nil unless this process is root
	fsync    string              // PostgreSQL's setting: "on" or "off"
	guard    io.WriteCloser      // closing it ends the running server
	process  *exec.Cmd
}

// DurablePostgres is a server for programs that are no tests: it syncs every
// commit to disk, as one in production does. It ends with stop, or with the
// process.
func DurablePostgres() (url string, stop func(), err error) {
	bin, ok := findPostgres()
	if !ok {
		return "", nil, errPostgresMissing
	}
	s, err := newServer(bin, "on")
	if err != nil {
		return "", nil, err
	}
	return s.URL, s.end, nil
}

// PrivatePostgres is a server for programs that stop and start it. Nothing is
// synced to disk. It ends with Close, or with the process.
func PrivatePostgres() (*Server, error) {
	bin, ok := findPostgres()
	if !ok {
		return nil, errPostgresMissing
	}
	return newServer(bin, "off")
}

var errPostgresMissing = errors.New("missing: " + postgres.Name + " (" + postgres.Get + ")")

// HasPostgres makes sure that PrivatePostgres will find PostgreSQL.
func HasPostgres(t testing.TB) {
	t.Helper()
	postgres.require(t)
}

// findPostgres is the folder of PostgreSQL's programs, the newest there is.
func findPostgres() (string, bool) {
	folders, _ := filepath.Glob("/usr/lib/postgresql/*/bin") // the pattern is sound
	slices.SortFunc(folders, func(a, b string) int { return major(b) - major(a) })
	if path, err := exec.LookPath("postgres"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			folders = append([]string{filepath.Dir(path)}, folders...)
		}
	}
	for _, folder := range folders {
		if _, err := os.Stat(filepath.Join(folder, "initdb")); err == nil {
			return folder, true
		}
	}
	return "", false
}

func major(folder string) int {
	n, _ := strconv.Atoi(filepath.Base(filepath.Dir(folder)))
	return n
}

func newServer(bin, fsync string) (*Server, error) {
	dir, err := os.MkdirTemp("", "expenseflow-postgres-")
	if err != nil {
		return nil, err
	}
	s := &Server{bin: bin, dir: dir, fsync: fsync}
	if err := s.create(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	if err := s.start(); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return s, nil
}

// create makes the cluster. Its user has a password, so that tests can get it
// wrong. With fsync off nothing is synced to disk: it has to survive processes only, which
// leave no page half written.
func (s *Server) create() error {
	if err := s.chooseOwner(); err != nil {
		return err
	}
	password := rand.Text()
	file := filepath.Join(s.dir, "password")
	if err := os.WriteFile(file, []byte(password), 0o644); err != nil {
		return err
	}
	cmd := s.command(filepath.Join(s.bin, "initdb"), "-D", s.data(), "-U", "expenseflow",
		"--pwfile", file, "--auth=scram-sha-256", "--encoding=UTF8", "--locale=C", "--no-sync")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("initdb: %w\n%s", err, out)
	}
	port, err := freePort()
	s.port = port
	s.URL = fmt.Sprintf("postgres://expenseflow:%s@127.0.0.1:%d/postgres?sslmode=disable", password, port)
	return err
}

// chooseOwner finds another user to run as if we are root, which PostgreSQL
// refuses.
func (s *Server) chooseOwner() error {
	if os.Getuid() != 0 {
		return nil
	}
	u, err := user.Lookup("postgres")
	if err != nil {
		u, err = user.Lookup("nobody")
	}
	if err != nil {
		return err
	}
	uid, _ := strconv.Atoi(u.Uid) // numbers on every Unix
	gid, _ := strconv.Atoi(u.Gid)
	s.owner = &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid)}
	return os.Chown(s.dir, uid, gid)
}

func (s *Server) data() string { return filepath.Join(s.dir, "data") }

// command runs a program as the cluster's owner, out of reach of Ctrl-C.
func (s *Server) command(name string, args ...string) *exec.Cmd {
	cmd := exec.Command(name, args...)
	cmd.Dir = s.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Credential: s.owner, Setpgid: true}
	return cmd
}

var portsTried atomic.Int64

// freePort finds a port below the range that systems hand to outgoing connections, so that
// nobody takes it before the server listens, or while it is down. No port is given twice, and
// another test binary begins elsewhere, as do the programs that tests start (internal/e2e).
func freePort() (int, error) {
	const lowest, ports, apart, elsewhere = 12000, 18000, 997, 9000
	for range 200 {
		port := lowest + (os.Getpid()*apart+elsewhere+int(portsTried.Add(1)))%ports
		l, err := net.Listen("tcp4", fmt.Sprintf("127.0.0.1:%d", port))
		if err == nil {
			return port, l.Close()
		}
	}
	return 0, errors.New("no free port on 127.0.0.1")
}

// guarded runs the server beside a shell that waits for a line, which names the
// signal to end it with, or for its input to end. That happens when this process
// closes it or dies, even of kill -9.
const guarded = `"$1/postgres" -D "$2" -h 127.0.0.1 -p "$3" -k "$2" -c max_connections=200 \
	-c fsync="$5" -c full_page_writes="$5" >"$2/log" 2>&1 &
read -r signal
kill -"${signal:-QUIT}" $!
wait $!
[ -e "$2/keep" ] || rm -rf "$4"`

func (s *Server) start() error {
	cmd := s.command("/bin/sh", "-c", guarded, "sh", s.bin, s.data(), strconv.Itoa(s.port), s.dir, s.fsync)
	guard, err := cmd.StdinPipe()
	if err != nil {
		return err
	}
	if err := cmd.Start(); err != nil {
		return err
	}
	s.guard, s.process = guard, cmd
	return s.awaitReady(time.Now().Add(30 * time.Second))
}

// awaitReady tries to connect until it works.
func (s *Server) awaitReady(deadline time.Time) error {
	return awaitAnswer(deadline, filepath.Join(s.data(), "log"), func() error { return s.ping(deadline) })
}

// awaitAnswer calls ask until it succeeds. At the deadline the error ends in the log that the
// server wrote.
func awaitAnswer(deadline time.Time, logFile string, ask func() error) error {
	for {
		err := ask()
		if err == nil {
			return nil
		}
		if time.Now().After(deadline) {
			log, _ := os.ReadFile(logFile)
			return fmt.Errorf("%w\n%s", err, strings.TrimSpace(string(log)))
		}
		time.Sleep(10 * time.Millisecond) // a process outside has no other signal
	}
}

func (s *Server) ping(deadline time.Time) error {
	ctx, cancel := context.WithDeadline(context.Background(), deadline.Add(time.Second))
	defer cancel()
	conn, err := pgx.Connect(ctx, s.URL)
	if err != nil {
		return err
	}
	return conn.Close(ctx)
}

// Stop ends the server at once, as a crash does: connections break, and what
// was committed is there after Start.
func (s *Server) Stop(t testing.TB) {
	t.Helper()
	if err := s.Halt(false); err != nil {
		t.Fatalf("stop PostgreSQL: %v", err)
	}
}

// Halt is Stop for programs. A fast one rolls back, says goodbye and writes
// everything down (PostgreSQL's "fast" shutdown); otherwise it is "immediate".
func (s *Server) Halt(fast bool) error {
	keep := filepath.Join(s.data(), "keep")
	if err := os.WriteFile(keep, nil, 0o644); err != nil {
		return err
	}
	if fast {
		if _, err := io.WriteString(s.guard, "INT\n"); err != nil {
			return err
		}
	}
	s.end()
	return os.Remove(keep)
}

// Resume is Start for programs.
func (s *Server) Resume() error { return s.start() }

// Close ends the server and removes its data.
func (s *Server) Close() { s.end() }

// Start starts a stopped server again, at the same URL.
func (s *Server) Start(t testing.TB) {
	t.Helper()
	if err := s.start(); err != nil {
		t.Fatalf("start PostgreSQL again: %v", err)
	}
}

// end ends the running server, if there is one, and waits for it.
func (s *Server) end() {
	if s.guard != nil {
		s.guard.Close()      // the shell takes it from here
		_ = s.process.Wait() // its exit code is that of a killed server
		s.guard = nil
	}
}

// Standby is a streaming standby of s, which ends with the test. A synchronous one
// confirms each commit of s from now on.
func (s *Server) Standby(t testing.TB, synchronous bool) *Server {
	t.Helper()
	copied, err := s.standby()
	if err != nil {
		t.Fatalf("start a standby: %v", err)
	}
	t.Cleanup(func() { copied.end() })
	if synchronous {
		s.exec(t, "ALTER SYSTEM SET synchronous_standby_names = '*'", "SELECT pg_reload_conf()")
		s.awaits(t, "SELECT count(*) > 0 FROM pg_stat_replication WHERE sync_state = 'sync'")
	}
	return copied
}

func (s *Server) standby() (*Server, error) {
	dir, err := os.MkdirTemp("", "expenseflow-postgres-")
	if err != nil {
		return nil, err
	}
	c := &Server{bin: s.bin, dir: dir, fsync: s.fsync}
	if err = c.chooseOwner(); err == nil {
		cmd := c.command(filepath.Join(s.bin, "pg_basebackup"), "-d", s.URL, "-D", c.data(), "-R", "-X", "stream", "-c", "fast",
			"--no-sync")
		var out []byte
		if out, err = cmd.CombinedOutput(); err != nil {
			err = fmt.Errorf("pg_basebackup: %w\n%s", err, out)
		}
	}
	if err == nil {
		c.port, err = freePort()
		c.URL = strings.Replace(s.URL, fmt.Sprintf(":%d/", s.port), fmt.Sprintf(":%d/", c.port), 1)
	}
	if err == nil {
		err = c.start()
	}
	if err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	return c, nil
}

// Lag has a standby receive nothing from now on, as if the network were cut.
func (s *Server) Lag(t testing.TB) {
	t.Helper()
	s.exec(t, "ALTER SYSTEM SET primary_conninfo = ''", "SELECT pg_reload_conf()")
	s.awaits(t, "SELECT count(*) = 0 FROM pg_stat_wal_receiver")
}

// Promote makes a standby the primary.
func (s *Server) Promote(t testing.TB) {
	t.Helper()
	s.exec(t, "SELECT pg_promote(true, 30)")
	s.awaits(t, "SELECT NOT pg_is_in_recovery()")
}

// Has tells whether a query of one truth is true.
func (s *Server) Has(t testing.TB, query string) (is bool) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	if err := conn.QueryRow(context.Background(), query).Scan(&is); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return is
}

func (s *Server) awaits(t testing.TB, query string) {
	t.Helper()
	for deadline := time.Now().Add(30 * time.Second); !s.Has(t, query); time.Sleep(20 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", query)
		}
	}
}

func (s *Server) exec(t testing.TB, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(context.Background(), s.URL)
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close(context.Background())
	for _, statement := range statements {
		if _, err := conn.Exec(context.Background(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}

// SeveralHosts is a URL of all these servers, of which the one that takes changes is used.
func SeveralHosts(servers ...*Server) string {
	hosts := make([]string, len(servers))
	for i, s := range servers {
		hosts[i] = fmt.Sprintf("127.0.0.1:%d", s.port)
	}
	first := servers[0]
	url := strings.Replace(first.URL, fmt.Sprintf("127.0.0.1:%d", first.port), strings.Join(hosts, ","), 1)
	return url + "&target_session_attrs=read-write"
}
