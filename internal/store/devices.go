package store

import (
	"time"

	"expenseflow/internal/store/rows"
	"expenseflow/models"
)

// A device is when a device, or a browser, acted for a user.
type device struct {
	DeviceID  string    `gorm:"primaryKey"` // see deviceName
	UserID    string    `gorm:"primaryKey;index:devices_user"`
	FirstSeen time.Time `gorm:"serializer:millis"`
	LastActed time.Time `gorm:"serializer:millis"`
}

// TouchDevice records that the author's device and browser act for this user now.
func (tx *Tx) TouchDevice(by models.Author) {
	if by.DeviceID != "" {
		tx.touch(deviceName(by.DeviceID))
	}
	if by.Browser != "" {
		tx.touch(browserName(by.Browser))
	}
}

func (tx *Tx) touch(name string) {
	tx.devices.Put(name, device{name, tx.user.ID, tx.Clock(), tx.Clock()}, true)
}

// The names in table devices: of a device as it calls itself, which anybody may claim,
// and of a browser by its cookie. Storable writes a backslash before two hex digits
// alone, so no client can call its device what a browser is called.
func deviceName(id string) string   { return rows.Storable(id) }
func browserName(key string) string { return `\browser ` + key }

// A DeviceHistory says when a device or a browser acted and for whom; a zero time is never.
type DeviceHistory struct {
	FirstOwn  time.Time `gorm:"serializer:zeroableTime"` // this and LastOwn: for the transaction's user
	LastOwn   time.Time `gorm:"serializer:zeroableTime"`
	LastOther time.Time `gorm:"serializer:zeroableTime"` // for any other user
}

// DeviceHistory returns what is stored of devices that call themselves so, whoever's they
// are, without what the transaction itself notes. It is the only place where what a
// client chose to call itself is looked up among other users: such a name proves
// nothing.
func (tx *Tx) DeviceHistory(deviceID string) (DeviceHistory, error) {
	return tx.history(deviceName(deviceID))
}

// BrowserHistory is DeviceHistory of one browser.
func (tx *Tx) BrowserHistory(key string) (DeviceHistory, error) { return tx.history(browserName(key)) }

func (tx *Tx) history(name string) (DeviceHistory, error) {
	const columns = "COALESCE(MIN(CASE WHEN user_id = ? THEN first_seen END), 0) AS first_own, " +
		"COALESCE(MAX(CASE WHEN user_id = ? THEN last_acted END), 0) AS last_own, " +
		"COALESCE(MAX(CASE WHEN user_id <> ? THEN last_acted END), 0) AS last_other"
	me := tx.user.ID
	h, _, err := oneIn[DeviceHistory](tx, tx.orm().Model(&device{}).Select(columns, me, me, me).Where("device_id = ?", name))
	return h, err
}
