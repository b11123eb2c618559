package models

import (
	"regexp"
	"sync"
	"time"
	_ "time/tzdata" // zones are known also where the system has no files of them
)

// maxZone is the maximum length of a zone's name in bytes; the longest real one has 32.
const maxZone = 64

// zonePattern matches the names of the IANA database. It excludes other files of a system's
// zone directory, such as posixrules and right/UTC (with leap seconds), and further
// spellings of the same file, such as Europe//Berlin.
var zonePattern = regexp.MustCompile(`^[A-Z][A-Za-z0-9_+-]*(/[A-Z][A-Za-z0-9_+-]*)*$`)

// LoadZone returns the zone of an IANA name such as "America/Los_Angeles"; false for an
// unknown name. "Local", which differs between machines, and "Factory", which browsers
// refuse, are unknown.
func LoadZone(name string) (*time.Location, bool) {
	if zone, known := zones.Load(name); known {
		return zone.(*time.Location), true
	}
	if name == "Local" || name == "Factory" || len(name) > maxZone || !zonePattern.MatchString(name) {
		return nil, false
	}
	zone, err := time.LoadLocation(name)
	if err != nil {
		return nil, false
	}
	zones.Store(name, zone)
	return zone, true
}

// zones caches loaded zones by name. It is bounded by the number of IANA names.
var zones sync.Map

// CheckZone returns RuleZone for an unknown name.
func CheckZone(field, name string) []Violation {
	if _, ok := LoadZone(name); !ok {
		return []Violation{{Field: field, Rule: RuleZone, Value: name}}
	}
	return nil
}
