package models

import (
	"regexp"
	"sync"
	"time"
	_ "time/tzdata" // zones are known also where the system has no files of them
)

// maxZone bounds the name of a zone in bytes; the longest real one has 32.
const maxZone = 64

// zoneName is how IANA's names look, and browsers': of one spelling each. Systems have
// further files, such as posixrules and right/UTC with its leap seconds, and find the
// same file by Europe//Berlin, Europe///Berlin and so on without end.
var zoneName = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$`)

// LoadZone is the zone of an IANA name such as "America/Los_Angeles"; false for a
// name that is none. "Local" is none, for it would mean another zone on each machine,
// nor is "Factory", which browsers refuse.
func LoadZone(name string) (*time.Location, bool) {
	if zone, known := zones.Load(name); known {
		return zone.(*time.Location), true
	}
	if name == "Local" || name == "Factory" || len(name) > maxZone || !zoneName.MatchString(name) {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	zones.Store(name, zone)
	return zone, true
}

// zones are those that were loaded, by name: as many at most as there are names.
var zones sync.Map

// CheckZone gives RuleZone for a name that is no zone's.
func CheckZone(field, name string) []Violation {
	if _, ok := LoadZone(name); !ok {
		return []Violation{{Field: field, Rule: RuleZone, Value: name}}
	}
	return nil
}
