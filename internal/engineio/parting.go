package engineio

import (
	"net/http"
	"sync"
	"time"
)

// partingTime is how long a client that said goodbye by POST may still send the
// GET that was on its way.
const partingTime = time.Second

// partings are the ids of sessions whose client left over polling while it held
// no GET. Clients send the last POST and the next GET over two connections, so
// either may arrive first; the GET is released by a NOOP in both cases.
type partings struct {
	mu  sync.Mutex
	ids map[string]struct{}
}

func (p *partings) add(sid string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.ids == nil {
		p.ids = make(map[string]struct{})
	}
	p.ids[sid] = struct{}{}
	time.AfterFunc(partingTime, func() { p.take(sid) })
}

// take removes sid and reports whether it was there.
func (p *partings) take(sid string) bool {
	p.mu.Lock()
	defer p.mu.Unlock()
	_, ok := p.ids[sid]
	delete(p.ids, sid)
	return ok
}

// errParted is the refusal of a GET that came after its session's goodbye.
var errParted = refuse(UnknownSession, "client left")

// releaseParted answers such a GET as if it had been held.
func (s *Server) releaseParted(w http.ResponseWriter, r *http.Request) {
	pollingHeaders(w.Header(), r, pollingType)
	s.headers(w.Header(), r, false)
	_, _ = w.Write([]byte{byte(packetNoop)})
}
