// Package importer makes entries of the rows of files that banks and other programs export, and
// takes them away again.
//
// What it promises:
//
//   - A row becomes an entry by the rules of package ledger, in the transaction in which its key
//     is stored. The same file again changes nothing, and one that was interrupted is finished.
//   - A row that looks like an entry of the account is left out, with the reason, unless the
//     caller includes it.
//   - A row that a rule refuses is parked, as an operation of a batch is, and one that cannot be
//     read is reported. Neither affects its neighbours.
//   - What an import made is undone as one, but for entries that were changed or shared since.
//     What it parked and still waits is discarded.
//   - A user has one import at a time in this process, and all users together work on maxAtOnce
//     bytes of files. Two processes may import for one user at once; keys make that harmless.
package importer

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"time"

	"expenseflow/internal/bankfile"
	"expenseflow/internal/fair"
	"expenseflow/internal/ledger"
	"expenseflow/internal/store"
	"expenseflow/internal/wire"
	"expenseflow/models"
)

// chunk is how many rows are imported in one transaction.
const chunk = 200

// maxAtOnce bounds the bytes of files that are worked on at the same time. Reading one takes
// about three times its size.
const (
	maxAtOnce  = 2 * bankfile.MaxBytes
	maxWaiting = 100
)

// Options are what an Importer needs.
type Options struct {
	Ledger *ledger.Ledger
	Store  *store.Store

	// Progress is called while a user's file is imported or an import is undone, and at the end.
	// It must not block; it may be nil.
	Progress func(userID string, p wire.ImportProgress)

	// OnParked is called after a commit with the operations that it parked, and once for an import
	// with ledger.ParkedFullNotice. It must not block; it may be nil.
	OnParked func(userID string, ops []models.QueuedOperation)

	// OnSettled is called after a commit that applied or discarded parked operations of a user
	// (models.Applied, models.Discarded). It must not block; it may be nil.
	OnSettled func(userID string, how models.OperationState)
}

// An Importer imports files. Its methods may be called concurrently.
type Importer struct {
	Options
	memory *fair.Pool

	mu   sync.Mutex
	busy map[string]bool // users who have an import under way
}

// New returns an Importer.
func New(o Options) *Importer {
	if o.Progress == nil {
		o.Progress = func(string, wire.ImportProgress) {}
	}
	if o.OnParked == nil {
		o.OnParked = func(string, []models.QueuedOperation) {}
	}
	if o.OnSettled == nil {
		o.OnSettled = func(string, models.OperationState) {}
	}
	return &Importer{
		Options: o, busy: map[string]bool{}, memory: fair.New(fair.Options{Capacity: maxAtOnce, Waiting: maxWaiting}),
	}
}

// A Request is a file to import.
type Request struct {
	Name    string // of the file
	Data    []byte
	Mapping bankfile.Mapping

	IncludeAll bool         // import duplicates too
	Include    map[int]bool // lines of duplicates to import

	// Progress is called as Options.Progress is, for this file alone; it may be nil.
	Progress func(wire.ImportProgress)
}

// maxIncluded bounds the lines that a request names.
const maxIncluded = 10_000

// ParseRequest reads a request from the parameters of a query. Errors: models.Invalid.
func ParseRequest(q url.Values, data []byte) (r Request, err error) {
	r = Request{Name: q.Get("name"), Data: data, Include: map[int]bool{}}
	if err := CheckName(r.Name); err != nil {
		return r, err
	}
	if r.Mapping, err = bankfile.ParseMapping(q); err != nil {
		return r, err
	}
	include := q.Get("include")
	if r.IncludeAll = include == "all"; r.IncludeAll || include == "" {
		return r, nil
	}
	for s := range strings.SplitSeq(include, ",") {
		line, err := strconv.Atoi(s)
		if err != nil || len(r.Include) == maxIncluded {
			return r, models.E(models.Invalid, `"include" must be all, or at most 10000 numbers of lines such as 3,17`)
		}
		r.Include[line] = true
	}
	return r, nil
}

// CheckName refuses the name of a file that cannot be stored; the error is of models.Invalid.
func CheckName(name string) error {
	if models.UTF16Len(name) > models.MaxImportName || strings.ContainsRune(name, 0) {
		return models.E(models.Invalid, fmt.Sprintf(`"name" must be at most %d characters`, models.MaxImportName))
	}
	return nil
}

// digest names the file.
func (r *Request) digest() string {
	sum := sha256.Sum256(r.Data)
	return hex.EncodeToString(sum[:])
}

// Import imports a file. What the file leaves open must be decided by the Mapping: else the
// error is models.Invalid with the question, and nothing changes. After another error what was
// imported stays; the same request finishes it.
//
// Other errors: those of bankfile.Open, models.Conflict while another import of the user's is
// under way, and those of the store.
func (im *Importer) Import(ctx context.Context, userID string, by models.Author, r Request) (*wire.ImportResult, error) {
	f, done, err := im.open(ctx, userID, &r)
	if err != nil {
		return nil, err
	}
	defer done()
	if len(f.Questions) > 0 {
		return nil, &models.Error{Kind: models.Invalid, Code: CodeQuestion, Msg: bankfile.Ask(f.Questions[0])}
	}
	u, err := im.Store.UserByID(ctx, userID)
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	run := newRun(im, &u, &r, f)
	run.by = by
	result, err := run.all(ctx)
	if err != nil {
		return nil, fmt.Errorf("import: %w", err)
	}
	return result, nil
}

// CodeTooLarge is the code of errors about a file that exceeds a limit.
const CodeTooLarge = bankfile.CodeTooLarge

// ErrTooLarge is the error of a file with more than bankfile.MaxBytes.
var ErrTooLarge = bankfile.ErrTooLarge

// The codes of errors that imports alone have.
const (
	CodeQuestion = "IMPORT_QUESTION" // the file leaves open how it is to be read
	CodeRunning  = "IMPORT_RUNNING"  // another import of the user's is under way
	CodeBusy     = "IMPORT_BUSY"     // too many files are imported at once
)

// Begin makes the caller the only one in this process who imports into an account, or undoes that.
// The caller must call done once. Errors: models.Conflict, and models.Unavailable.
func (im *Importer) Begin(ctx context.Context, userID string) (done func(), err error) {
	return im.begin(ctx, userID, 0)
}

// open is begin, and reads the file. Without an error the caller must call done once.
func (im *Importer) open(ctx context.Context, userID string, r *Request) (f *bankfile.File, done func(), err error) {
	if done, err = im.begin(ctx, userID, len(r.Data)); err != nil {
		return nil, nil, err
	}
	if f, err = bankfile.Open(r.Data, r.Mapping); err != nil {
		done()
		return nil, nil, err
	}
	return f, done, nil
}

// begin waits for memory, as the only import of a user. The caller must call done once.
func (im *Importer) begin(ctx context.Context, userID string, size int) (done func(), err error) {
	if !im.enter(userID) {
		return nil, &models.Error{
			Kind: models.Conflict, Code: CodeRunning, Setting: models.FixedLimit,
			Msg: "An import of this account is under way: wait until it has ended",
		}
	}
	n := int64(min(max(size, 1), maxAtOnce))
	if err := im.memory.Acquire(ctx, userID, n); err != nil {
		im.leave(userID)
		return nil, &models.Error{
			Kind: models.Unavailable, Code: CodeBusy, RetryAfter: 5 * time.Second, Setting: models.FixedLimit, Err: err,
			Msg: "Too many files are being imported, please try again",
		}
	}
	return func() {
		im.memory.Release(userID, n)
		im.leave(userID)
	}, nil
}

func (im *Importer) enter(userID string) bool {
	im.mu.Lock()
	defer im.mu.Unlock()
	if im.busy[userID] {
		return false
	}
	im.busy[userID] = true
	return true
}

func (im *Importer) leave(userID string) {
	im.mu.Lock()
	defer im.mu.Unlock()
	delete(im.busy, userID)
}

// List returns the user's imports, the newest first.
func (im *Importer) List(ctx context.Context, userID string) ([]models.Import, error) {
	return im.Store.ListImports(ctx, userID)
}
