package adminui

import "time"

// Bounds of what admins cost. docs/limits.md lists those that an operator meets.
const (
	maxAdmins        = 10   // of one process
	maxTasks         = 4096 // that wait for Run: what other processes told
	maxOrders        = 16   // commands of other processes that wait
	maxEvents        = 200  // events of this process that are shown in a second
	maxMemberships   = 400  // sockets and rooms that came and went, likewise
	maxRecords       = 3000 // of events, sockets and rooms that wait for Run, which takes them five times a second
	maxSockets       = 1000 // that are listed at the beginning: of this process,
	maxRemoteSockets = 250  // and of each other one
	maxAsks          = 3    // for the list of a process that did not answer at first
	maxRooms         = 50   // of a socket that are listed
	maxBacklog       = 2000 // packets that wait until an admin has the list
	maxKept          = 8192 // bytes of an event that wait to be redacted: that takes time, up to its depth times its size
	maxPayload       = 3000 // bytes of an event's arguments that are shown
	maxCommand       = 1000 // sockets that one command may have join or leave
	maxName          = 256  // bytes of a room's or event's name in a command
	maxHint          = 7500 // bytes of what is told to other processes at once
)

const (
	sessionLifetime = 12 * time.Hour
	surveyTime      = time.Second     // how long other processes have to list their sockets
	watchTime       = 7 * time.Second // how long a process is told of, after its last word that it has admins
	flushInterval   = 200 * time.Millisecond
	ticksPerSample  = int(time.Second / flushInterval)
	ticksPerStats   = int(2 * time.Second / flushInterval)
)
