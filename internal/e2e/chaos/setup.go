package main

import (
	"fmt"
	"slices"
	"strings"
)

// A setup is what schedules run on: a database, how many processes serve it, and whether
// they tell each other by Redis.
type setup struct {
	db        string
	processes int
	redis     bool
}

// String names the set-up in the table.
func (s setup) String() string {
	name := s.db
	if s.processes > 1 {
		name += fmt.Sprintf(" × %d", s.processes)
	}
	if s.redis {
		name += ", Redis"
	}
	return name
}

// file is the set-up as a part of a file's name.
func (s setup) file() string {
	return strings.NewReplacer(" × ", "", ", ", "-").Replace(s.String())
}

// flags are the arguments that choose the set-up.
func (s setup) flags() string {
	flags := "-db " + s.db
	if s.processes > 1 {
		flags += fmt.Sprintf(" -processes %d", s.processes)
	}
	if s.redis {
		flags += " -redis"
	}
	return flags
}

// What a class needs of a set-up beside its database.
const (
	several = "several processes"
	byRedis = "several processes and Redis"
	without = "several processes and no Redis" // they tell each other by LISTEN and NOTIFY
)

// fits reports whether the class can hit on the set-up.
func (c class) fits(s setup) bool {
	if c.on != "" && c.on != s.db {
		return false
	}
	switch c.needs {
	case several:
		return s.processes > 1
	case byRedis:
		return s.processes > 1 && s.redis
	case without:
		return s.processes > 1 && !s.redis
	}
	return true
}

// setups are the databases of a run, each with its processes. SQLite has one process.
func (o options) setups() []setup {
	var all []setup
	for _, db := range o.databases() {
		if s := (setup{db, max(1, o.processes), o.redis}); db == postgres || s.processes == 1 && !s.redis {
			all = append(all, s)
		}
	}
	return all
}

// unfit is why a class that was asked for by its name cannot be run; "" if it can.
func (o options) unfit() string {
	if o.fault == "all" || len(o.classes()) == 0 {
		return ""
	}
	c := o.classes()[0]
	if slices.ContainsFunc(o.setups(), c.fits) {
		return ""
	}
	if c.needs == "" || c.on != "" && o.db != "both" && o.db != c.on {
		return fmt.Sprintf("-fault %s needs %s", c.name, c.on)
	}
	return fmt.Sprintf("-fault %s needs %s (-processes, -redis)", c.name, c.needs)
}
