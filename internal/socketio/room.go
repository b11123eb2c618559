package socketio

// A room is a set of sockets of one namespace. It exists while it has members. All its
// fields are guarded by Namespace.mu.
type room struct {
	name    string
	members map[*Socket]struct{}
	list    []*Socket // the members; nil after a change, else immutable
}

// membersLocked returns the room's members in a list that must not be changed.
func (r *room) membersLocked() []*Socket {
	if r.list == nil {
		r.list = make([]*Socket, 0, len(r.members))
		for s := range r.members {
			r.list = append(r.list, s)
		}
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
		r := n.rooms[name]
		if r == nil {
			list = append(list, name)
		} else if _, in := r.members[s]; !in {
			list = append(list, name)
		}
	}
	return list
}

// joinLocked puts s into one room.
func (n *Namespace) joinLocked(s *Socket, name string) {
	r := n.rooms[name]
	if r == nil {
		r = &room{name: name, members: make(map[*Socket]struct{}, 1)}
		n.rooms[name] = r
	}
	if _, in := r.members[s]; in { // the same name was given twice
		return
	}
	r.members[s] = struct{}{}
	r.list = nil
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
	delete(r.members, s)
	r.list = nil
	if len(r.members) == 0 && n.rooms[r.name] == r {
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
	return append(append(make([]*Socket, 0, len(r.members)+1), r.membersLocked()...), own)
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
