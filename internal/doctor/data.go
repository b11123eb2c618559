package doctor

import (
	"context"
	"fmt"
	"path/filepath"
	"strings"
	"time"

	"expenseflow/internal/pubsub"
)

// checkDatabase reports whether the database can be read and written.
func (d *doctor) checkDatabase(ctx context.Context) Finding {
	d.asked = d.Now()
	found, err := d.Database(ctx)
	d.took = d.Now().Sub(d.asked)
	if err != nil {
		return failed("see to the database; nothing has to be started again afterwards", "%s", sentence(err))
	}
	d.database, d.answered = found, true
	switch {
	case found.Schema != "": // it cannot be read then: see migrations
		return ok("%s answers", found.Dialect)
	case found.Read != "":
		return failed("see to the database; nothing has to be started again afterwards", "it cannot be read: %s", found.Read)
	case found.Write != "":
		return failed("see whether its disk is full, or whether it is a standby that only reads",
			"it takes no changes: %s", found.Write)
	}
	return ok("%s answers and takes changes", found.Dialect)
}

// migrations reports whether the schema is the one of this program.
func (d *doctor) migrations(context.Context) Finding {
	switch {
	case !d.answered:
		return skipped("the database does not answer")
	case d.database.Schema != "":
		return failed("start the server of the version that is meant to run; the server migrates, this command does not",
			"%s", d.database.Schema)
	}
	return ok("the schema is the one of this version")
}

// oldBackup is from which age on a backup is too old.
const oldBackup = 7 * 24 * time.Hour

// backup reports how old the last verified backup is.
func (d *doctor) backup(context.Context) Finding {
	if !d.answered {
		return skipped("the database does not answer")
	}
	if d.database.LastBackup == nil {
		return skipped("expenseflow backup has made none of this database")
	}
	age := d.Now().Sub(*d.database.LastBackup)
	text := fmt.Sprintf("the last that was verified is of %s, %v ago", d.database.LastBackup.Format("2006-01-02 15:04 UTC"),
		age.Round(time.Minute))
	if age > oldBackup {
		return warning("see why expenseflow backup --every 24h --keep 7 --to DIR does not run", "%s", text)
	}
	return ok("%s", text)
}

// redis reports whether hints can be sent and received.
func (d *doctor) redis(ctx context.Context) Finding {
	address := d.Config.RedisURL.Reveal()
	if address == "" {
		return skipped("REDIS_URL is not set")
	}
	r, err := pubsub.OpenRedis(address)
	if err != nil {
		return failed("correct REDIS_URL", "%s", sentence(err))
	}
	defer r.Close()
	if err := r.Check(ctx, d.Config.RedisPrefix+":doctor"); err != nil {
		return failed("until then changes reach the devices of other processes about a second late, and nothing is lost",
			"%s", sentence(err))
	}
	return ok("it takes and delivers messages")
}

// disk reports how much is free where the SQLite file is.
func (d *doctor) disk(context.Context) Finding {
	if d.Config.OnPostgres() {
		return skipped("the database's disk is that of PostgreSQL, which says so itself when it is full")
	}
	folder := filepath.Dir(d.Config.Database())
	disk, err := DiskOf(folder)
	if err != nil {
		return skipped(fmt.Sprintf("the disk of %s cannot be read: %v", folder, err))
	}
	return disk.judge()
}

func bytesText(n uint64) string {
	const mib = 1 << 20
	if n < 1<<10*mib {
		return fmt.Sprintf("%d MiB", n/mib)
	}
	return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30))
}

// Clocks that differ by less than goodClock are in order; beyond badClock cursors of devices
// and the ends of tokens are wrong.
const (
	goodClock = 2 * time.Second
	badClock  = 30 * time.Second
)

// A reading is what another clock showed at a moment of ours.
type reading struct {
	of      string
	its, at time.Time
	within  time.Duration // how exact its is
}

// clock compares this machine's clock with those of the servers that it uses.
func (d *doctor) clock(ctx context.Context) Finding {
	readings := d.readings(ctx)
	if len(readings) == 0 {
		return skipped("no other machine tells the time: run timedatectl, or give --url the public address")
	}
	var agree, differ []string
	worst := time.Duration(0)
	for _, r := range readings {
		off := r.its.Sub(r.at)
		if off.Abs() <= goodClock+r.within {
			agree = append(agree, r.of)
			continue
		}
		worst = max(worst, off.Abs())
		differ = append(differ, fmt.Sprintf("%s is %v %s", r.of, off.Abs().Round(time.Second), aheadOrBehind(off)))
	}
	text := strings.Join(differ, ", ")
	const fix = "set the clock that is wrong by NTP (timedatectl set-ntp true): tokens and cursors of devices have times"
	switch {
	case worst > badClock:
		return failed(fix, "%s of this machine", text)
	case worst > 0:
		return warning(fix, "%s of this machine", text)
	}
	return ok("it agrees with %s", strings.Join(agree, " and "))
}

func aheadOrBehind(off time.Duration) string {
	if off < 0 {
		return "behind that"
	}
	return "ahead of that"
}

// readings asks PostgreSQL, Redis and the public address for their time. Those that do not
// answer have checks of their own.
func (d *doctor) readings(ctx context.Context) (list []reading) {
	if d.database.Clock != nil {
		list = append(list, reading{"PostgreSQL's clock", *d.database.Clock, d.asked, d.took})
	}
	if address := d.Config.RedisURL.Reveal(); address != "" {
		if r, err := pubsub.OpenRedis(address); err == nil {
			defer r.Close()
			began := d.Now()
			if its, err := r.Clock(ctx); err == nil {
				list = append(list, reading{"Redis's clock", its, began, d.Now().Sub(began)})
			}
		}
	}
	if r, ok := d.publicClock(ctx); ok {
		list = append(list, r)
	}
	return list
}
