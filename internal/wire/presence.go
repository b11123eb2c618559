package wire

import (
	"time"

	"expenseflow/models"
)

// A Presence lists the online devices of a user.
type Presence struct {
	UserID  string         `json:"userId"`
	Online  bool           `json:"online"`
	Devices []OnlineDevice `json:"devices"` // oldest connection first
}

// An OnlineDevice is an online device.
type OnlineDevice struct {
	DeviceID    string `json:"deviceId"`
	ConnectedAt Time   `json:"connectedAt"`
	LastSeen    Time   `json:"lastSeen"` // now, or when its last socket closed within the grace period
}

// A Device is an entry of GET /api/devices.
type Device struct {
	DeviceID  string `json:"deviceId"`
	Client    string `json:"client"` // browser and system, "" if not recognised
	FirstSeen Time   `json:"firstSeen"`
	LastSeen  Time   `json:"lastSeen"`
	Online    bool   `json:"online"`
}

// NewDevice returns the document of d. lastSeen is now if the device is online.
func NewDevice(d models.Device, online bool) Device {
	seen := d.LastSeen
	if online {
		seen = models.Millis(time.Now())
	}
	return Device{d.ID, d.Client, Time(d.FirstSeen), Time(seen), online}
}
