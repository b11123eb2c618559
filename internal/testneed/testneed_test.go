package testneed_test

import (
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"

	"expenseflow/internal/testneed"

	"github.com/jackc/pgx/v5"
)

func TestPostgresKeepsCommittedDataOverAStop(t *testing.T) {
	s := testneed.NewPostgres(t)
	run(t, s.URL, "CREATE TABLE kept (n int)", "INSERT INTO kept VALUES (1)")
	s.Stop(t)
	if _, err := pgx.Connect(t.Context(), s.URL); err == nil {
		t.Fatal("a stopped server answers")
	}
	s.Start(t)
	run(t, s.URL, "INSERT INTO kept VALUES (2)")
}

// TestPostgresEndsWithItsBinary runs this binary again, which starts a server
// and is killed.
func TestPostgresEndsWithItsBinary(t *testing.T) {
	if os.Getenv("TESTNEED_CHILD") == "1" {
		println("URL " + testneed.Postgres(t))
		select {}
	}
	testneed.NewPostgres(t) // skips here where there is none
	child := exec.Command(os.Args[0], "-test.run=^TestPostgresEndsWithItsBinary$")
	child.Env = append(os.Environ(), "TESTNEED_CHILD=1")
	out, err := child.StderrPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := child.Start(); err != nil {
		t.Fatal(err)
	}
	url := firstURL(t, out)
	run(t, url, "SELECT 1")
	if err := child.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	_ = child.Wait() // killed
	awaitGone(t, url)
}

func firstURL(t *testing.T, out interface{ Read([]byte) (int, error) }) string {
	t.Helper()
	var text strings.Builder
	b := make([]byte, 1024)
	for !strings.Contains(text.String(), "\n") {
		n, err := out.Read(b)
		text.Write(b[:n])
		if err != nil {
			t.Fatalf("child said %q: %v", text.String(), err)
		}
	}
	return strings.TrimPrefix(strings.TrimSpace(text.String()), "URL ")
}

func awaitGone(t *testing.T, url string) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for {
		conn, err := pgx.Connect(t.Context(), url)
		if err != nil {
			return
		}
		conn.Close(t.Context())
		if time.Now().After(deadline) {
			t.Fatal("the server outlives its test binary")
		}
		time.Sleep(20 * time.Millisecond) // another process has no other signal
	}
}

func run(t *testing.T, url string, statements ...string) {
	t.Helper()
	conn, err := pgx.Connect(t.Context(), url)
	if err != nil {
		t.Fatalf("connect: %v", err)
	}
	defer conn.Close(t.Context())
	for _, statement := range statements {
		if _, err := conn.Exec(t.Context(), statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
}
