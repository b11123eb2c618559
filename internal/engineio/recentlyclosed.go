package engineio

import (
	"net/http"
	"sync"
	"time"
)

// recentlyClosedTime is how long a client that closed its session by POST may still send
// the GET that was in transit.
const recentlyClosedTime = time.Second

// recentlyClosed are the ids of sessions that their client closed over polling while no
// GET was held. Clients send the last POST and the next GET over two connections, so
// either may arrive first; the GET is answered with a NOOP in both cases. The zero value
// is ready; its methods are safe for concurrent use.
type recentlyClosed struct {
	mu  sync.Mutex
	ids map[string]struct{}
}

func (r *recentlyClosed) add(sid string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.ids == nil {
		r.ids = make(map[string]struct{})
	}
	r.ids[sid] = struct{}{}
	time.AfterFunc(recentlyClosedTime, func() { r.take(sid) })
}

// take removes sid and reports whether it was there.
func (r *recentlyClosed) take(sid string) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	_, ok := r.ids[sid]
	delete(r.ids, sid)
	return ok
}

// refuseRecentlyClosed is the refusal of a GET that arrived after its client closed the
// session; it is answered by answerRecentlyClosed.
var refuseRecentlyClosed = refuse(UnknownSession, "client left")

// answerRecentlyClosed answers such a GET as if it had been held.
func (s *Server) answerRecentlyClosed(w http.ResponseWriter, r *http.Request) {
	pollingHeaders(w.Header(), r, pollingType)
	s.headers(w.Header(), r, false)
	_, _ = w.Write([]byte{byte(packetNoop)})
}
