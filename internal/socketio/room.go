package socketio

// A room is a set of sockets of one namespace. It exists while it has members.
// Everything is guarded by Namespace.mu.
type room struct {
	name    string
	members map[*Socket]struct{}
	list    []*Socket // the members; nil after a change, else never changed
}

// all are the room's members, in a list that stays as it is.
func (r *room) all() []*Socket {
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
	fresh := n.fresh(s, names)
	if len(s.rooms)+len(fresh) > n.server.cfg.MaxRooms {
		return ErrTooManyRooms
	}
	for _, name := range fresh {
		n.enter(s, name)
	}
	return nil
}

// fresh are the rooms of names that s is not in. It is in that of its own id
// without being a member. n.mu is held.
func (n *Namespace) fresh(s *Socket, names []string) []string {
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

// enter puts s into one room. n.mu is held.
func (n *Namespace) enter(s *Socket, name string) {
	r := n.rooms[name]
	if r == nil {
		r = &room{name: name, members: make(map[*Socket]struct{}, 1)}
		n.rooms[name] = r
	}
	if _, in := r.members[s]; in { // named twice
		return
	}
	r.members[s] = struct{}{}
	r.list = nil
	s.rooms = append(s.rooms, r)
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
			n.drop(r, s)
			return
		}
	}
}

// drop takes s out of r and forgets r when it is empty. n.mu is held.
func (n *Namespace) drop(r *room, s *Socket) {
	delete(r.members, s)
	r.list = nil
	if len(r.members) == 0 && n.rooms[r.name] == r {
		delete(n.rooms, r.name)
	}
}

// roomsOf names the rooms s is in.
func (n *Namespace) roomsOf(s *Socket) []string {
	n.mu.Lock()
	defer n.mu.Unlock()
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

// Rooms names the rooms that have members now, without those of sockets' ids.
func (n *Namespace) Rooms() []string {
	var names []string
	for _, sp := range n.spaces() {
		sp.mu.Lock()
		for name := range sp.rooms {
			names = append(names, name)
		}
		sp.mu.Unlock()
	}
	return names
}

// targets are the sockets of a broadcast, each once. The list must not be
// changed. Sockets that are not connected may be among them.
func (n *Namespace) targets(rooms, except []string) []*Socket {
	n.mu.Lock()
	defer n.mu.Unlock()
	var list []*Socket
	switch len(rooms) {
	case 0:
		list = n.all()
	case 1:
		list = n.members(rooms[0])
	default:
		list = n.union(rooms)
	}
	return n.without(list, except)
}

// all are the namespace's sockets. n.mu is held.
func (n *Namespace) all() []*Socket {
	if n.list == nil {
		n.list = make([]*Socket, 0, len(n.sockets))
		for _, s := range n.sockets {
			n.list = append(n.list, s)
		}
	}
	return n.list
}

// members are the sockets of one room. Each socket is the room of its id, to
// which others may have been added. n.mu is held.
func (n *Namespace) members(name string) []*Socket {
	r, own := n.rooms[name], n.sockets[name]
	switch {
	case r == nil && own == nil:
		return nil
	case r == nil:
		return []*Socket{own}
	case own == nil:
		return r.all()
	}
	return append(append(make([]*Socket, 0, len(r.members)+1), r.all()...), own)
}

// union are the sockets of several rooms, each once. n.mu is held.
func (n *Namespace) union(rooms []string) []*Socket {
	seen := map[*Socket]struct{}{}
	var list []*Socket
	for _, name := range rooms {
		for _, s := range n.members(name) {
			if _, twice := seen[s]; !twice {
				seen[s] = struct{}{}
				list = append(list, s)
			}
		}
	}
	return list
}

// without leaves out the sockets of the rooms in except. n.mu is held.
func (n *Namespace) without(list []*Socket, except []string) []*Socket {
	if len(except) == 0 {
		return list
	}
	out := map[*Socket]struct{}{}
	for _, name := range except {
		for _, s := range n.members(name) {
			out[s] = struct{}{}
		}
	}
	kept := make([]*Socket, 0, len(list))
	for _, s := range list {
		if _, excluded := out[s]; !excluded {
			kept = append(kept, s)
		}
	}
	return kept
}
