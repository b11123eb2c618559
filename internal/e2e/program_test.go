package e2e

import (
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"expenseflow/internal/e2e/overlay/quickhash"
	"expenseflow/internal/testneed"
)

const second = time.Second

// jwtSecret signs the tokens of every program here, so that tests can make
// tokens of their own: old ones, expired ones, foreign ones.
const jwtSecret = "a secret of the e2e tests, long enough to be taken"

// A program is one expenseflow process after the other, on one port and one
// data folder.
type program struct {
	dir    string                 // working directory; data/ is made in it
	port   int                    // stays the same over restarts, as a deployment's does
	env    []string               // settings beside the usual ones
	scheme string                 // stays the same too
	base   string                 // its BASE_PATH
	file   func() (string, error) // what is run

	log logBuffer

	mu      sync.Mutex
	cmd     *exec.Cmd
	ended   chan struct{} // closed when cmd has ended
	waitErr error         // how it ended; valid once ended is closed
}

// start returns a program of t's own, running, with settings such as
// "JWT_EXPIRE=5". It is without the race detector: see startRaced.
func start(t *testing.T, settings ...string) *program {
	t.Helper()
	return startFile(t, binary, settings...)
}

// startRaced is start for tests in which several things happen at once.
func startRaced(t *testing.T, settings ...string) *program {
	t.Helper()
	return startFile(t, raced, settings...)
}

// startFile is start with another file than the usual one.
func startFile(t *testing.T, file func() (string, error), settings ...string) *program {
	t.Helper()
	p, err := launch(file, t.TempDir(), settings)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.finish(); err != nil {
			t.Error(err)
		}
		if t.Failed() {
			t.Logf("log of the program:\n%s", p.log.tail())
		}
	})
	return p
}

func launch(file func() (string, error), dir string, settings []string) (*program, error) {
	port, err := freePort()
	if err != nil {
		return nil, err
	}
	p := &program{dir: dir, port: port, scheme: schemeOf(settings), base: baseOf(settings), env: settings, file: file}
	return p, p.start()
}

// A database is one of the two that every promise is kept on.
type database struct {
	name     string
	settings func(t *testing.T) []string
}

var databases = []database{
	{"sqlite", func(*testing.T) []string { return nil }},
	{"postgres", func(t *testing.T) []string { return []string{"DATABASE_URL=" + testneed.Postgres(t)} }},
}

// onEach runs one test on a program per database. The programs are shared by
// all tests of the package, which is why each test registers its own users.
func onEach(t *testing.T, run func(t *testing.T, p *program)) {
	for _, db := range databases {
		t.Run(db.name, func(t *testing.T) {
			t.Parallel()
			run(t, shared(t, db))
		})
	}
}

var sharedPrograms struct {
	sync.Mutex
	byName map[string]*program
}

// shared returns the one raced program on db that tests share; never stop it.
func shared(t *testing.T, db database) *program {
	t.Helper()
	return sharedOf(t, db.name, raced, db.settings(t))
}

// sharedOf returns the shared program of this name; the first call starts it.
func sharedOf(t *testing.T, name string, file func() (string, error), settings []string) *program {
	t.Helper()
	sharedPrograms.Lock()
	defer sharedPrograms.Unlock()
	if p := sharedPrograms.byName[name]; p != nil {
		return p
	}
	p, err := launchShared(name, file, settings)
	if err != nil {
		t.Fatal(err)
	}
	if sharedPrograms.byName == nil {
		sharedPrograms.byName = make(map[string]*program)
	}
	sharedPrograms.byName[name] = p
	return p
}

func launchShared(name string, file func() (string, error), settings []string) (*program, error) {
	dir := filepath.Join(work, name)
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	return launch(file, dir, settings)
}

// sqlite returns a shared program on SQLite, for what has nothing to do with the
// database. It is without the race detector, as start's is.
func sqlite(t *testing.T) *program {
	t.Helper()
	return sharedOf(t, "unraced", binary, nil)
}

// sqliteRaced is sqlite for tests in which several things happen at once.
func sqliteRaced(t *testing.T) *program {
	t.Helper()
	return shared(t, databases[0])
}

func stopShared() error {
	sharedPrograms.Lock()
	defer sharedPrograms.Unlock()
	var errs []error
	for _, p := range sharedPrograms.byName {
		errs = append(errs, p.finish())
	}
	return errors.Join(errs...)
}

var portsTried atomic.Int64

// freePort finds a port below the range that systems hand to outgoing
// connections, so that nobody takes it while a program is restarted. No port is
// given twice, and another test binary begins elsewhere.
func freePort() (int, error) {
	const lowest, ports, apart = 12000, 18000, 997
	for range 200 {
		port := lowest + (os.Getpid()*apart+int(portsTried.Add(1)))%ports
		ln, err := net.Listen("tcp4", net.JoinHostPort("127.0.0.1", strconv.Itoa(port)))
		if err == nil {
			return port, ln.Close()
		}
	}
	return 0, errors.New("no free port on 127.0.0.1")
}

// url is where the program serves, without a slash at the end.
func (p *program) url() string { return p.scheme + "://" + p.addr() + p.base }

// baseOf is the path below which a program of these settings serves.
func baseOf(settings []string) string {
	for _, s := range settings {
		if base, found := strings.CutPrefix(s, "BASE_PATH="); found {
			return base
		}
	}
	return ""
}

// schemeOf is how a program of these settings serves.
func schemeOf(settings []string) string {
	if slices.ContainsFunc(settings, func(s string) bool { return strings.HasPrefix(s, "TLS_CERT_FILE=") }) {
		return "https"
	}
	return "http"
}

// addr is where the program listens, host:port.
func (p *program) addr() string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(p.port)) }

func (p *program) environment() []string {
	usual := []string{
		"PATH=" + os.Getenv("PATH"),
		"HOME=" + p.dir,
		"HOST=127.0.0.1",
		"PORT=" + strconv.Itoa(p.port),
		"JWT_SECRET=" + jwtSecret,
		"DRAIN_SPREAD=0", // other tests' programs on the same database would take the sockets
		"GORACE=halt_on_error=0",
		quickhash.Variable + "=1",
	}
	return slices.Concat(usual, p.env)
}

// start runs the program and returns once it says that it is ready.
func (p *program) start() error {
	path, err := p.file()
	if err != nil {
		return err
	}
	cmd := exec.Command(path)
	cmd.Dir, cmd.Env = p.dir, p.environment()
	cmd.Stdout, cmd.Stderr = &p.log, &p.log
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return fmt.Errorf("start the program: %w", err)
	}
	ended := make(chan struct{})
	p.mu.Lock()
	p.cmd, p.ended = cmd, ended
	p.mu.Unlock()
	go func() {
		p.waitErr = cmd.Wait()
		close(ended)
	}()
	return p.awaitReady()
}

func (p *program) awaitReady() error {
	deadline := time.Now().Add(patience)
	for time.Now().Before(deadline) {
		select {
		case <-p.ended:
			return fmt.Errorf("the program ended instead of serving: %v\n%s", p.waitErr, p.log.tail())
		case <-time.After(10 * time.Millisecond):
		}
		if p.ready() {
			return nil
		}
	}
	return errors.Join(fmt.Errorf("not ready after %v\n%s", patience, p.log.tail()), p.kill())
}

func (p *program) ready() bool {
	res, err := client.Get(p.url() + "/readyz")
	if err != nil {
		return false
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return res.StatusCode == http.StatusOK
}

// stop asks the program to end, waits for it, and tells if it did not end well.
func (p *program) stop() error {
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case <-p.ended:
	case <-time.After(patience):
		return errors.Join(fmt.Errorf("still running %v after SIGTERM\n%s", patience, p.log.tail()), p.kill())
	}
	if p.waitErr != nil {
		return fmt.Errorf("the program ended with %v after SIGTERM\n%s", p.waitErr, p.log.tail())
	}
	return nil
}

// kill is kill -9: nothing of the program runs after it.
func (p *program) kill() error {
	err := p.cmd.Process.Kill()
	<-p.ended
	return err
}

func (p *program) running() bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.cmd == nil {
		return false
	}
	select {
	case <-p.ended:
		return false
	default:
		return true
	}
}

// finish stops the program if it runs and looks for data races in its log.
func (p *program) finish() error {
	var err error
	if p.running() {
		err = p.stop()
	}
	if race := p.log.after("WARNING: DATA RACE"); race != "" {
		err = errors.Join(err, fmt.Errorf("the program has a data race:\n%s", race))
	}
	if panicked := p.log.after("panic: "); panicked != "" {
		err = errors.Join(err, fmt.Errorf("the program panicked:\n%s", panicked))
	}
	return err
}

// A logBuffer keeps what a process writes. The zero value is ready.
type logBuffer struct{ testneed.LogBuffer }

// tail returns the last lines, enough to see why something failed.
func (l *logBuffer) tail() string {
	lines := strings.SplitAfter(l.String(), "\n")
	return strings.Join(lines[max(0, len(lines)-60):], "")
}

// after returns the log from the first occurrence of mark on, at most a few
// thousand bytes of it; "" if mark does not occur.
func (l *logBuffer) after(mark string) string {
	all := l.String()
	at := strings.Index(all, mark)
	if at < 0 {
		return ""
	}
	return all[at:min(len(all), at+6000)]
}
