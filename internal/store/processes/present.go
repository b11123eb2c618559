package processes

import (
	"context"
	"encoding/json"
	"strconv"
	"strings"
	"time"

	"expenseflow/internal/store/find"
	"expenseflow/internal/store/rows"
	"expenseflow/models"
)

// A PresentRow is a device that is present in a process. It counts while the process lives in
// this generation.
type PresentRow struct {
	Process    string `gorm:"primaryKey"`
	Room       string `gorm:"primaryKey;index:present_room"`
	UserID     string `gorm:"primaryKey"`
	DeviceID   string `gorm:"primaryKey;serializer:clientText"`
	UserName   string
	Generation int64
	Since      time.Time `gorm:"serializer:millis"`
	Sockets    int64
}

// TableName implements GORM's Tabler.
func (PresentRow) TableName() string { return "present" }

func (p PresentRow) model() models.Present {
	return models.Present{
		Room: p.Room, UserID: p.UserID, UserName: p.UserName, DeviceID: p.DeviceID, Since: p.Since, Sockets: int(p.Sockets),
	}
}

// errNotLiving is returned to a process that does not count as living, in this generation.
var errNotLiving = models.E(models.Unavailable, "This process does not count as living")

// announceQuery is one statement, so that a process that is stopped under way holds no lock of
// its row, which the heartbeats of all others wait for. It changes nothing unless the process
// lives in this generation. Its parameters are the process, its generation, who is gone, the
// process again, process and generation again, and who is here.
var announceQuery = "WITH own AS (UPDATE processes SET announced = announced + 1 WHERE id = ? AND generation = ? AND " +
	isLiving + " RETURNING announced), " +
	"gone AS (DELETE FROM present USING own, jsonb_to_recordset(?::jsonb) AS g (room text, user_id text, device_id text) " +
	"WHERE process = ? AND (present.room, present.user_id, present.device_id) = (g.room, g.user_id, g.device_id)), " +
	"here AS (INSERT INTO present (process, room, user_id, device_id, user_name, generation, since, sockets) " +
	"SELECT ?, room, user_id, device_id, user_name, ?, since, sockets FROM own, jsonb_to_recordset(?::jsonb) " +
	"AS h (room text, user_id text, device_id text, user_name text, since bigint, sockets bigint) " +
	"ON CONFLICT (process, room, user_id, device_id) DO UPDATE SET user_name = excluded.user_name, " +
	"generation = excluded.generation, since = excluded.since, sockets = excluded.sockets) " +
	"SELECT announced FROM own"

// announcedRows is JSON for announceQuery.
func announcedRows(all []models.Present) string {
	type row struct {
		Room     string `json:"room"`
		UserID   string `json:"user_id"`
		DeviceID string `json:"device_id"`
		UserName string `json:"user_name"`
		Since    int64  `json:"since"`
		Sockets  int    `json:"sockets"`
	}
	b, _ := json.Marshal(find.Mapped(all, func(p models.Present) row { // texts and numbers always marshal
		return row{p.Room, p.UserID, rows.Storable(p.DeviceID), p.UserName, p.Since.UnixMilli(), p.Sockets}
	}))
	return string(b)
}

// Announce stores who is present in this process and who is not any more, and returns how
// often it has in this generation. models.Unavailable if the process does not live in this
// generation: with the next one it announces everybody again. Nobody is in both lists.
func (p *Processes) Announce(ctx context.Context, process string, generation int64, here, gone []models.Present) (
	version int64, err error,
) {
	version, err = find.One[int64](p.db.Writer.WithContext(ctx).Raw(announceQuery,
		process, generation, announcedRows(gone), process, process, generation, announcedRows(here)))
	if find.IsNotFound(err) {
		err = errNotLiving
	}
	return version, err
}

// PresentElsewhere returns who is present in these rooms in other living processes than this
// one. A device that is present in two of them is there twice. models.Unavailable if this
// process does not live in this generation itself: the others may be as unknown.
func (p *Processes) PresentElsewhere(
	ctx context.Context, process string, generation int64, rooms []string,
) ([]models.Present, error) {
	// The row with the empty room says that this process lives.
	own := "SELECT '' AS process, '' AS room, '' AS user_id, '' AS device_id, '' AS user_name, 0::bigint AS generation, " +
		"0::bigint AS since, 0::bigint AS sockets FROM processes WHERE id = ? AND generation = ? AND " + isLiving
	theirs := "SELECT process, room, user_id, device_id, user_name, present.generation, since, sockets FROM present " +
		"JOIN processes ON id = process AND processes.generation = present.generation AND " + isYoung + " WHERE process <> ? AND ?"
	query := own + " UNION ALL " + theirs
	var there []models.Present
	lives := false
	err := find.Each(p.db.Read(ctx).Raw(query, process, generation, process, p.db.In("room", rooms)), func(p PresentRow) error {
		if p.Room == "" {
			lives = true
		} else {
			there = append(there, p.model())
		}
		return nil
	})
	if err == nil && !lives {
		err = errNotLiving
	}
	return there, err
}

// statusKey is that of the operator's status in the table meta: its version, a space and its
// text.
const statusKey = "status"

// SetStatus stores what the operator says of the service, and returns how often anybody has.
func (p *Processes) SetStatus(ctx context.Context, status string) (version int64, err error) {
	const query = "INSERT INTO meta (key, value) VALUES ('" + statusKey + "', '1 ' || ?) ON CONFLICT (key) DO UPDATE SET " +
		"value = (split_part(meta.value, ' ', 1)::bigint + 1)::text || ' ' || ? RETURNING value"
	stored, err := find.One[string](p.db.Writer.WithContext(ctx).Raw(query, status, status))
	version, _ = splitStatus(stored)
	return version, err
}

func splitStatus(stored string) (version int64, status string) {
	number, status, _ := strings.Cut(stored, " ")
	version, _ = strconv.ParseInt(number, 10, 64) // 0 for none
	return version, status
}

// Peers returns the state of the processes, and the operator's status, for the process with
// this id and generation.
func (p *Processes) Peers(ctx context.Context, process string, generation int64) (models.Peers, error) {
	type row struct {
		ID                    string
		Generation, Announced int64
		Ended                 bool `gorm:"serializer:flag"`
		Status                string
	}
	query := "SELECT id, generation, announced, ended, '' AS status FROM processes WHERE " + isYoung + " UNION ALL " +
		"SELECT '', 0, 0, 0, value FROM meta WHERE key = '" + statusKey + "'"
	peers := models.Peers{Others: make(map[string]models.PresenceVersion)}
	err := find.Each(p.db.Read(ctx).Raw(query), func(r row) error {
		switch r.ID {
		case "":
			peers.StatusVersion, peers.Status = splitStatus(r.Status)
		case process:
			peers.Member = r.Generation == generation && !r.Ended
		default:
			peers.Others[r.ID] = models.PresenceVersion{Generation: r.Generation, Version: r.Announced, Ended: r.Ended}
		}
		return nil
	})
	return peers, err
}
