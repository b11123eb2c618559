// Package hints tells the other processes of an installation what has just happened, so
// that they look sooner than they would by themselves.
//
// What it promises:
//
//   - A hint arrives at most once at each other process that runs. Nothing may depend on
//     it: whatever must not be lost is in the database.
//   - Publish never blocks. What cannot be sent is dropped and counted.
//   - Whoever may have missed a hint is told so, by Run's function missed, and then
//     compares everything. Each sender numbers its hints and repeats its number every few
//     seconds, so that also the loss of the last one is noticed; and missed is called
//     after each connect.
//   - A hint is authentic and fresh. It is signed with a key that the processes of one
//     installation derive from their common secret, and one is believed only after its
//     sender has answered a challenge: what was recorded earlier, or comes from another
//     installation, another application or anybody without the secret, is dropped and
//     counted.
//   - Hints about users (Hint.Users) that wait to be sent are merged.
//
// A Remote is connected through Redis or PostgreSQL (package pubsub). Where there is one
// process, None takes its place.
//
// # How processes meet
//
// Every process sends "hello" when it has connected, and every few seconds. Whoever hears
// a process for the first time asks it "who" with a random challenge, and believes it from
// the answer "am" on, which repeats the challenge under the sender's signature. Hints that
// came before are dropped; missed is called in their place.
package hints

import (
	"context"
	"encoding/json"
)

// A Hint is told to all other processes. Kind, 1 to 16 small letters, says to whom Data
// means something. Data is JSON of at most MaxData bytes.
type Hint struct {
	Kind string
	Data json.RawMessage
}

// KindLog is the kind of hints about users (Hint.Users): their change logs have grown. All
// other kinds belong to the packages that publish them.
const KindLog = "log"

// MaxData is the maximum size of Data in bytes. A larger hint is not sent. With its
// header it fits into a notification of PostgreSQL, which has less than 8000 bytes.
const MaxData = 7800

// A Bus carries hints between processes.
type Bus interface {
	// Publish sends a hint to all other processes that run. It never blocks. It may be
	// called concurrently, also before and after Run; what cannot be sent is dropped.
	Publish(Hint)

	// Run receives hints until ctx ends, and then returns nil. received gets each hint and
	// the id of the process that sent it; missed is called when hints may have been lost,
	// and after each connect. Both are called from one goroutine, one at a time, and must
	// not block. Run is called once.
	Run(ctx context.Context, received func(from string, h Hint), missed func()) error
}

// None is the Bus of a process that is alone.
var None Bus = none{}

type none struct{}

func (none) Publish(Hint) {}

func (none) Run(ctx context.Context, _ func(string, Hint), _ func()) error {
	<-ctx.Done()
	return nil
}

// userData is the Data of a hint about users.
type userData struct {
	Users []string `json:"users"`
}

// ForUsers makes a hint about users. It may name any number: they are sent in several hints
// if one is too small for them.
func ForUsers(userIDs ...string) Hint {
	data, _ := json.Marshal(userData{userIDs}) // cannot fail
	return Hint{KindLog, data}
}

// Users returns the users that the hint is about, none if it is about something else.
func (h Hint) Users() []string {
	var d userData
	if h.Kind != KindLog || json.Unmarshal(h.Data, &d) != nil {
		return nil
	}
	return d.Users
}
