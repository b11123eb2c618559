package app

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"sync"

	"expenseflow/handlers"
	"expenseflow/internal/config"
	"expenseflow/internal/doctor"
	"expenseflow/internal/observe"
)

// A diskWatch says that the disk of the embedded database is nearly full, before it is. A nil
// *diskWatch is that of a process whose database is on another machine. Its methods may be called
// concurrently.
type diskWatch struct {
	folder string
	log    *slog.Logger

	mu   sync.Mutex
	last doctor.Disk // zero if it cannot be read
	low  bool
}

func newDiskWatch(cfg *config.Config, log *slog.Logger) *diskWatch {
	if cfg.OnPostgres() {
		return nil
	}
	return &diskWatch{folder: filepath.Dir(cfg.Database()), log: log}
}

// look reads how much is free. It logs when that becomes too little, and when there is enough
// again, with a tenth to spare.
func (w *diskWatch) look(ctx context.Context) (low bool) {
	if w == nil {
		return false
	}
	disk, err := doctor.DiskOf(w.folder)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.last = disk
	switch {
	case err != nil:
		w.log.DebugContext(ctx, "the disk of the database cannot be read", slog.Any("error", err))
	case disk.IsLow() && !w.low:
		w.low = true
		w.log.WarnContext(ctx, "the disk of the database is nearly full: free some, or move DATA_DIR to a larger one, "+
			"before changes are refused", diskAttrs(disk)...)
	case w.low && disk.Free > disk.Low()+disk.Low()/10:
		w.low = false
		w.log.InfoContext(ctx, "the disk of the database has room again", diskAttrs(disk)...)
	}
	return w.low
}

func diskAttrs(d doctor.Disk) []any {
	return []any{slog.String("folder", d.Folder), slog.Uint64("free_bytes", d.Free), slog.Uint64("size_bytes", d.Total)}
}

var errDiskLow = errors.New("the disk of the database is nearly full")

// checks are shown in the report of readiness. A process with little room left serves as well.
func (w *diskWatch) checks() []handlers.Check {
	if w == nil {
		return nil
	}
	return []handlers.Check{{Name: "disk", Advisory: true, Do: func(ctx context.Context) error {
		if w.look(ctx) {
			return errDiskLow
		}
		return nil
	}}}
}

// known returns what look has read last.
func (w *diskWatch) known() doctor.Disk {
	if w == nil {
		return doctor.Disk{}
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.last
}

func (w *diskWatch) register(m *observe.Metrics) {
	m.Gauge("expenseflow_disk_free_bytes", "Bytes that are free on the disk of the embedded database; 0 without one.", nil,
		func() float64 { return float64(w.known().Free) })
	m.Gauge("expenseflow_disk_size_bytes", "The size of the disk of the embedded database; 0 without one.", nil,
		func() float64 { return float64(w.known().Total) })
}
