package socketio

import (
	"maps"
	"slices"
)

// A room is a set of sockets of one namespace. It exists while it has members. All its
// fields are guarded by Namespace.mu.
type room struct {
	name  string
	list  []*Socket            // the members, in a list that does not change; nil if index is newer
	index map[*Socket]struct{} // the members of a room that has had many; else nil
}

// fewMembers is up to how many members a room needs no index: one of a user's devices takes
// a third of the memory without.
const fewMembers = 8

func (r *room) has(s *Socket) bool {
	if r.index == nil {
		return slices.Contains(r.list, s)
	}
	_, in := r.index[s]
	return in
}

// add adds a socket that is not a member.
func (r *room) add(s *Socket) {
	if r.index == nil && len(r.list) < fewMembers {
		r.list = appendCopy(r.list, s)
		return
	}
	if r.index == nil {
		r.index = make(map[*Socket]struct{}, 2*fewMembers)
		for _, member := range r.list {
			r.index[member] = struct{}{}
		}
	}
	r.index[s] = struct{}{}
	r.list = nil
}

// remove removes a socket.
func (r *room) remove(s *Socket) {
	if r.index == nil {
		r.list = slices.DeleteFunc(slices.Clone(r.list), func(member *Socket) bool { return member == s })
		return
	}
	delete(r.index, s)
	r.list = nil
}

func (r *room) size() int {
	if r.index == nil {
		return len(r.list)
	}
	return len(r.index)
}

// membersLocked returns the room's members in a list that must not be changed.
func (r *room) membersLocked() []*Socket {
	if r.list == nil {
		r.list = slices.Collect(maps.Keys(r.index))
	}
	return r.list
}

// join puts s into rooms, or into none if they are too many.
func (n *Namespace) join(s *Socket, names []string) error {
	n.mu.Lock()
	defer n.mu.Unlock()
	if s.removed {
		return nil
	}
	joining := n.withoutJoinedLocked(s, names)
	if len(s.rooms)+len(joining) > n.server.cfg.MaxRooms {
		return ErrTooManyRooms
	}
	for _, name := range joining {
		n.joinLocked(s, name)
	}
	return nil
}

// withoutJoinedLocked returns the rooms of names that s is not in. It is in that of its
// own id without being a member.
func (n *Namespace) withoutJoinedLocked(s *Socket, names []string) []string {
	var list []string
	for _, name := range names {
		if name == s.id {
			continue
		}
		if r := n.rooms[name]; r == nil || !r.has(s) {
			list = append(list, name)
		}
	}
	return list
}

// joinLocked puts s into one room.
func (n *Namespace) joinLocked(s *Socket, name string) {
	r := n.rooms[name]
	if r == nil {
		r = &room{name: name}
		n.rooms[name] = r
	}
	if r.has(s) { // the same name was given twice
		return
	}
	r.add(s)
	s.rooms = append(s.rooms, r)
	if o := n.server.observer.Load(); o != nil {
		(*o).Joined(s, name)
	}
}

// leave takes s out of a room.
func (n *Namespace) leave(s *Socket, name string) {
	n.mu.Lock()
	defer n.mu.Unlock()
	for i, r := range s.rooms {
		if r.name == name {
			last := len(s.rooms) - 1
			s.rooms[i], s.rooms[last] = s.rooms[last], nil
			s.rooms = s.rooms[:last]
			n.leaveLocked(r, s)
			return
		}
	}
}

// leaveLocked takes s out of r, and forgets r when it is empty.
func (n *Namespace) leaveLocked(r *room, s *Socket) {
	r.remove(s)
	if r.size() == 0 && n.rooms[r.name] == r {
		delete(n.rooms, r.name)
	}
	n.observeLeftLocked(s, r.name)
}

// roomsOf returns the names of the rooms that s is in.
func (n *Namespace) roomsOf(s *Socket) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return n.roomsOfLocked(s)
}

func (n *Namespace) roomsOfLocked(s *Socket) []string {
	if s.removed {
		return nil
	}
	names := make([]string, 0, len(s.rooms)+1)
	names = append(names, s.id)
	for _, r := range s.rooms {
		names = append(names, r.name)
	}
	return names
}

// targets returns the sockets in any of the rooms, or all if there are none, each once.
// The list must not be changed. Sockets that are not connected may be among them.
func (n *Namespace) targets(rooms []string) []*Socket {
	n.mu.Lock()
	defer n.mu.Unlock()
	switch len(rooms) {
	case 0:
		return n.allLocked()
	case 1:
		return n.roomLocked(rooms[0])
	}
	return n.unionLocked(rooms)
}

// allLocked returns the namespace's sockets.
func (n *Namespace) allLocked() []*Socket {
	if n.list == nil {
		n.list = make([]*Socket, 0, len(n.sockets))
		for _, s := range n.sockets {
			n.list = append(n.list, s)
		}
	}
	return n.list
}

// roomLocked returns the sockets of one room. Each socket is the room of its id, which
// others may have joined.
func (n *Namespace) roomLocked(name string) []*Socket {
	r, own := n.rooms[name], n.sockets[name]
	switch {
	case r == nil && own == nil:
		return nil
	case r == nil:
		return []*Socket{own}
	case own == nil:
		return r.membersLocked()
	}
	return append(append(make([]*Socket, 0, r.size()+1), r.membersLocked()...), own)
}

// unionLocked returns the sockets of several rooms.
func (n *Namespace) unionLocked(rooms []string) []*Socket {
	seen := map[*Socket]struct{}{}
	var list []*Socket
	for _, name := range rooms {
		for _, s := range n.roomLocked(name) {
			if _, twice := seen[s]; !twice {
				seen[s] = struct{}{}
				list = append(list, s)
			}
		}
	}
	return list
}
