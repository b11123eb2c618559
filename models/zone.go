package models

import (
	"strings"
	"sync"
	"time"
	_ "time/tzdata" // zones are known also where the system has no files of them
)

// maxZone bounds the name of a zone in bytes; the longest real one has 32.
const maxZone = 64

// LoadZone is the zone of an IANA name such as "America/Los_Angeles"; false for a
// name that is none. "Local" is none: it would mean another zone on each machine.
func LoadZone(name string) (*time.Location, bool) {
	if zone, known := zones.Load(name); known {
		return zone.(*time.Location), true
	}
	if name == "" || name == "Local" || len(name) > maxZone || strings.Trim(name, zoneLetters) != "" {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	zones.Store(name, zone)
	return zone, true
}

const zoneLetters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789/_+-"

// zones are those that were loaded, by name: as many at most as there are names.
var zones sync.Map

// CheckZone gives RuleZone for a name that is no zone's.
func CheckZone(field, name string) []Violation {
	if _, ok := LoadZone(name); !ok {
		return []Violation{{Field: field, Rule: RuleZone, Value: name}}
	}
	return nil
}
