package database

import (
	"context"
	"time"

	"expenseflow/internal/fair"
	"expenseflow/internal/store/dialect"
	"expenseflow/models"
)

// A long read is one that takes more than a few milliseconds: whole lists, pages far
// down in them, dashboards of years. On SQLite they have connections of their own, on
// PostgreSQL half of the pool, so that authentication and short reads never wait behind
// them; and each user has a few of them at a time, so that other users do not either.
const (
	longPerUser = 2
	longWaiting = 64               // of all users
	longWait    = 30 * time.Second // for a place
	// restPerRow is how long a place stays its user's after the read, for each row: about
	// as long as reading it took. So one user's reads keep half of the processors at most.
	restPerRow = 20 * time.Microsecond
	// maxListings and listingsPerUser are how many long listings there are at a time: each
	// may keep a part in memory for as long as its caller takes.
	maxListings     = 128
	listingsPerUser = 4
)

// LimitLongReads makes the places for long reads, which are as many as given, and for long
// listings.
func (db *DB) LimitLongReads(places int) {
	db.longReads = fair.New(fair.Options{Capacity: int64(places), PerKey: longPerUser, Waiting: longWaiting})
	db.listingPlaces = fair.New(fair.Options{Capacity: maxListings, PerKey: listingsPerUser, Waiting: longWaiting})
}

// LongReadsAwaited reports whether anybody waits for a place for a long read.
func (db *DB) LongReadsAwaited() bool { return db.longReads.Awaited() }

// LongRead waits for a place for a long read of a user. The caller must call
// done with the number of rows that were read. The error is models.Unavailable.
func (db *DB) LongRead(ctx context.Context, userID string) (done func(rows int64), err error) {
	free, err := place(ctx, db.longReads, userID)
	if err != nil {
		return nil, err
	}
	return func(rows int64) {
		if rest := time.Duration(rows) * restPerRow; rest >= time.Millisecond {
			time.AfterFunc(rest, free)
		} else {
			free()
		}
	}, nil
}

// ListingPlace waits for a place for a long listing of a user. The caller must call free. The
// error is models.Unavailable.
func (db *DB) ListingPlace(ctx context.Context, userID string) (free func(), err error) {
	return place(ctx, db.listingPlaces, userID)
}

// place waits for one of a pool's places. The error is models.Unavailable.
func place(ctx context.Context, pool *fair.Pool, userID string) (free func(), err error) {
	waiting, cancel := context.WithTimeout(ctx, longWait)
	defer cancel()
	switch err := pool.Acquire(waiting, userID, 1); {
	case ctx.Err() != nil:
		if err == nil {
			pool.Release(userID, 1)
		}
		return nil, dialect.Unavailable(ctx.Err())
	case err != nil:
		return nil, &models.Error{
			Kind: models.Unavailable, Code: "LONG_READ_LIMIT", Msg: "Too many long lists are being read at once, please try again",
			RetryAfter: 5 * time.Second, Setting: models.FixedLimit, Err: err,
		}
	}
	return func() { pool.Release(userID, 1) }, nil
}
