// Package process runs the program as a process of its own, on a free loopback
// port and with a fresh data folder, for the programs that attack it. What it
// starts ends with them, also when they are killed (on Linux).
package process

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"
)

// A Server is the program under attack.
type Server struct {
	Addr string // host:port
	Dir  string // its working directory, removed by Stop

	cmd   *exec.Cmd
	ended chan struct{}
}

// ModuleRoot returns the folder of the module that the working directory is in.
func ModuleRoot() (string, error) {
	dir, err := os.Getwd()
	for ; err == nil; dir = filepath.Dir(dir) {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir, nil
		}
		if dir == filepath.Dir(dir) {
			err = errors.New("run it in the module's folder")
			break
		}
	}
	return "", err
}

// RaceFlags build with the race detector, but for two libraries: the inner loop of
// bcrypt, with which a sign-up would take three seconds of a processor, and SQLite as it
// was translated from C, whose memory is not Go's.
var RaceFlags = []string{
	"-race",
	"-gcflags=golang.org/x/crypto/blowfish=-race=false",
	"-gcflags=modernc.org/sqlite/lib=-race=false",
}

// Build builds the program of this module, by the go command with these flags, into a
// file of this name in dir, and returns the file's path.
func Build(ctx context.Context, dir, name string, flags ...string) (string, error) {
	path := filepath.Join(dir, name)
	args := slices.Concat([]string{"build", "-o", path}, flags, []string{"expenseflow"})
	if out, err := exec.CommandContext(ctx, "go", args...).CombinedOutput(); err != nil {
		return "", fmt.Errorf("build the program: %w\n%s", err, out)
	}
	return path, nil
}

// Chromium returns the path of the browser: CHROMIUM, or what is installed; "" without one.
func Chromium() string {
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome", "chrome"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	return ""
}

// Start runs binary in an empty folder and returns when it is ready. To env, which
// wins, it adds HOST, PORT, HOME and PATH; all other settings are the defaults. On
// an error the server is there as well if it was started, for its Log.
func Start(ctx context.Context, binary string, env ...string) (*Server, error) {
	dir, err := os.MkdirTemp("", "expenseflow")
	if err != nil {
		return nil, err
	}
	return StartIn(ctx, dir, exec.Command(binary), env...)
}

// StartIn is Start with a folder that may hold something already, and with a
// command that ends in the program.
func StartIn(ctx context.Context, dir string, cmd *exec.Cmd, env ...string) (*Server, error) {
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	return StartAt(ctx, port, dir, cmd, env...)
}

// StartAt is StartIn on a port of the caller's.
func StartAt(ctx context.Context, port, dir string, cmd *exec.Cmd, env ...string) (*Server, error) {
	log, err := os.OpenFile(filepath.Join(dir, "log"), os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	s := &Server{Dir: dir, Addr: "127.0.0.1:" + port, cmd: cmd, ended: make(chan struct{})}
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, log, log
	cmd.Env = append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "HOST=127.0.0.1", "PORT=" + port}, env...)
	dieWithParent(cmd)
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	go func() { _ = cmd.Wait(); close(s.ended) }()
	return s, s.awaitReady(ctx)
}

// FreePort returns a port that nobody listens on.
func FreePort() (string, error) {
	ln, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	defer ln.Close()
	_, port, err := net.SplitHostPort(ln.Addr().String())
	return port, err
}

func (s *Server) awaitReady(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 30*time.Second)
	defer cancel()
	for {
		res, err := http.Get("http://" + s.Addr + "/readyz")
		if err == nil {
			_ = res.Body.Close()
			if res.StatusCode == http.StatusOK {
				return nil
			}
		}
		select {
		case <-s.ended:
			return fmt.Errorf("the server ended at its start:\n%s", s.Log())
		case <-ctx.Done():
			return fmt.Errorf("the server is not ready: %w\n%s", ctx.Err(), s.Log())
		case <-time.After(10 * time.Millisecond):
		}
	}
}

// Alive reports whether the process has not ended.
func (s *Server) Alive() bool {
	select {
	case <-s.ended:
		return false
	default:
		return true
	}
}

// Log is the end of what the server wrote, 64 KB at most.
func (s *Server) Log() string {
	b, _ := os.ReadFile(filepath.Join(s.Dir, "log"))
	return string(b[max(0, len(b)-64<<10):])
}

// Kill ends the process and leaves its folder.
func (s *Server) Kill() {
	_ = s.cmd.Process.Kill()
	<-s.ended
}

// Stop ends the process and removes its folder.
func (s *Server) Stop() error {
	s.Kill()
	return os.RemoveAll(s.Dir)
}

// RSS is the resident memory in bytes; 0 of a process that has ended.
func (s *Server) RSS() int64 {
	fields := s.proc("statm")
	if len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseInt(fields[1], 10, 64)
	return pages * int64(os.Getpagesize())
}

// CPU is the processor time that the process has used, to 10 ms.
func (s *Server) CPU() time.Duration {
	fields := s.proc("stat") // the name in parentheses, the second, has no spaces here
	if len(fields) < 15 {
		return 0
	}
	user, _ := strconv.ParseInt(fields[13], 10, 64)
	system, _ := strconv.ParseInt(fields[14], 10, 64)
	return time.Duration(user+system) * 10 * time.Millisecond
}

func (s *Server) proc(file string) []string {
	b, _ := os.ReadFile(fmt.Sprintf("/proc/%d/%s", s.cmd.Process.Pid, file))
	return strings.Fields(string(b))
}

// Descriptors is how many files and connections the process has open.
func (s *Server) Descriptors() int {
	entries, _ := os.ReadDir(fmt.Sprintf("/proc/%d/fd", s.cmd.Process.Pid))
	return len(entries)
}
