package main

import (
	"context"
	"slices"
)

// Names of the peers as the table shows them.
const (
	ours      = "expenseflow"
	node      = "node"
	bun       = "bun"
	zishangV2 = "zishang-v2"
	zishangV3 = "zishang-v3"
	floor     = "floor"
)

// A work is one thing to measure, on the protocol peers or on the application.
type work struct {
	name        string
	application bool
	signedIn    bool // on the application with profiles
	once        bool // in the first round only: it takes long and varies little
	run         func(ctx context.Context, p *process, scale float64) (result, error)

	crowd bool // on processes that it starts itself
	apart bool // only if it is asked for by name

	// pair measures two processes on one database, instead of run.
	pair func(ctx context.Context, p *pair, scale float64) (result, error)

	// inTurns measures the application with metrics and without, which run beside each other,
	// instead of run.
	inTurns func(ctx context.Context, p []*process, scale float64) ([]result, error)
}

func (w work) peers(h *harness) []peer {
	switch {
	case w.pair != nil:
		return h.clusterPeers()
	case w.crowd:
		return h.crowdPeers()
	case w.inTurns != nil:
		return h.metricsPeers()
	case w.signedIn:
		return h.signedInPeers()
	case w.application:
		return h.applications()
	}
	peers := h.protocolPeers()
	if w.name == "stalled" { // the floor has no queue: it would wait for the stalled one for ever
		peers = slices.DeleteFunc(peers, func(p peer) bool { return p.name == floor })
	}
	return peers
}

var works = []work{
	{name: "connect", run: measureConnect},
	{name: "idle", once: true, run: measureIdle},
	{name: "fanout", run: measureFanoutOne},
	{name: "rooms", run: measureFanoutRooms},
	{name: "echo", run: measureEcho},
	{name: "stalled", once: true, run: measureStalled},
	{name: "start", application: true, once: true, run: measureStart},
	{name: "create", application: true, run: measureCreate},
	{name: "batch", application: true, run: measureBatch},
	{name: "list", application: true, once: true, run: measureList},
	{name: "signedin", signedIn: true, once: true, run: measureSignedIn},
	{name: "metrics", inTurns: measureMetrics},
	{name: "crowd", crowd: true, once: true, apart: true},
	{name: "cluster", once: true, pair: measureCluster},
}

func workNames() []string {
	var names []string
	for _, w := range works {
		names = append(names, w.name)
	}
	return names
}

// A figure is one row of the table.
type figure struct {
	name  string
	title string
	// better is "less" or "more"; "" compares nothing.
	better string
}

// figures are the rows, in their order.
var figures = []figure{
	{"connect", "connect and CONNECT, per second", "more"},
	{"idle", "idle memory per connection, KiB", "less"},
	{"fanout-1-cpu", "room of 1,000, one broadcast at a time: server CPU per delivery, us", "less"},
	{"fanout-1-rate", "… deliveries per second", "more"},
	{"fanout-1-lost", "… deliveries lost", ""},
	{"fanout-64-cpu", "room of 1,000, 64 in flight: server CPU per delivery, us", "less"},
	{"fanout-64-rate", "… deliveries per second", "more"},
	{"fanout-64-lost", "… deliveries lost", ""},
	{"rooms-cpu", "2,000 rooms of 3: server CPU per delivery, us", "less"},
	{"rooms-rate", "… deliveries per second", "more"},
	{"rooms-lost", "… deliveries lost", ""},
	{"echo-rate", "echo with ack, 100 clients: round trips per second", "more"},
	{"echo-cpu", "… server CPU per round trip, us", "less"},
	{"echo-p50", "echo at 8,000/s offered: p50, ms", "less"},
	{"echo-p99", "… p99, ms", "less"},
	{"stalled-memory", "one stalled reader, 80 MB: growth of the process, MiB", "less"},
	{"stalled-kernel", "… most in the kernel's send buffer, MiB", "less"},
	{"stalled-closed", "… closed after, s", ""},
	{"stalled-others", "… the others' p99 against without it", ""},
	{"stalled-lost", "… deliveries lost", ""},
	{"start", "application: exec to ready, ms", "less"},
	{"start-rss", "application: idle memory, MiB", "less"},
	{"start-file", "application: the program's file, MB", "less"},
	{"create-p50", "HTTP create to event on another device, 300/s: p50, ms", "less"},
	{"create-p99", "… p99, ms", "less"},
	{"create-lost", "… events lost", ""},
	{"batch", "batches of 100 over HTTP: operations per second", "more"},
	{"list", "list of 10,000 expenses: ms", "less"},
	{"signedin-memory", "one signed-in socket of each of many users: memory of each, KiB", "less"},
	{"signedin-heap", "… of it live in the heap, KiB", "less"},
	{"signedin-stacks", "… of it stacks, KiB", "less"},
	{"signedin-cpu", "… idle CPU of each, us/s", "less"},
	{"signedin-connects", "… signed-in CONNECTs per second", "more"},
	{"signedin", "… which were so many", ""},
	{"crowd", "the crowd, one signed-in socket of each user: sockets", ""},
	{"crowd-connects", "… CONNECTs per second while all come", "more"},
	{"crowd-memory", "… memory of each socket, KiB", "less"},
	{"crowd-cpu", "… idle CPU of each, us/s", "less"},
	{"crowd-broadcast", "… one event for all of them: s until the last has heard it", "less"},
	{"crowd-broadcast-cpu", "… CPU per delivery, us", "less"},
	{"crowd-broadcast-lost", "… deliveries lost or doubled", ""},
	{"crowd-roll", "… restart of a process: s until all of its sockets are back with what they missed, the slowest", "less"},
	{"crowd-roll-against", "… against its sockets over the rate of CONNECTs", ""},
	{"crowd-roll-lost", "… events missed", ""},
	{"crowd-roll-doubled", "… events heard twice", ""},
	{"metrics-echo", "metrics read every second, or none: CPU per event with ack, us", "less"},
	{"metrics-fanout", "… CPU per change and device that hears of it, us", "less"},
	{"cluster-p50", "two processes, HTTP create in one to event in the other, 50/s: p50, ms", "less"},
	{"cluster-p99", "… p99, ms", "less"},
	{"cluster-lost", "… events lost", ""},
	{"cluster-hints", "… hints per second while 300 are created per second", ""},
	{"cluster-death-p99", "… Redis killed for 2 s: p99, ms", ""},
	{"cluster-death-lost", "… Redis killed for 2 s: events lost", ""},
	{"cluster-idle-1", "… nothing happens, one user online: transactions per second in PostgreSQL", ""},
	{"cluster-idle-n", "… nothing happens, many users online: transactions per second in PostgreSQL", ""},
	{"cluster-online", "… which were so many users", ""},
	{"cluster-connects", "… signed-in CONNECTs per second, two processes on one core", "more"},
	{"cluster-memory", "… memory per signed-in socket, KiB", ""},
	{"cluster-cpu", "… idle CPU per signed-in socket, us/s", "less"},
}
