package seededbug

import (
	"fmt"
	"strings"
	"time"
)

// OwnClock returns an SQL text with the moment of this process in place of the database's, if the
// bug is there.
func OwnClock(on bool, sql string) string {
	if !on {
		return sql
	}
	return strings.ReplaceAll(sql, "clock_timestamp()", fmt.Sprintf("to_timestamp(%d / 1000.0)", time.Now().UnixMilli()))
}
