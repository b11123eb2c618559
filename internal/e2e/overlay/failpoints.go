package overlay

// failpoints are the places of package failpoint, where the program has them. A place
// that has several doors has several edits.
var failpoints = []Patch{
	{"after-begin", []Edit{
		before("internal/store", "\terr = fn(tx)\n",
			`failpoint.Here(failpoint.AfterBegin)`),
	}},
	{"after-dedupe", []Edit{
		after("internal/reconcile", "\tstored, ok, err := s.Tx.OperationByKey(it.key)",
			`failpoint.Here(failpoint.AfterDedupe)`),
		after("internal/ledger", "DataHash(c.Draft)\n\tfirst, again, err := w.Tx.OperationByKey(key)",
			`failpoint.Here(failpoint.AfterDedupe)`),
	}},
	{"before-commit", []Edit{
		before("internal/store", "\terr := st.commit()\n",
			`failpoint.Here(failpoint.BeforeCommit)`),
		before("internal/store", "\tdone, err = st.commitUnlocked()\n",
			`failpoint.Here(failpoint.BeforeCommit)`),
		before("internal/store", "\treturn c.db.Commit().Error\n",
			`failpoint.Here(failpoint.BeforeCommit)`),
	}},
	{"before-wake", []Edit{
		before("internal/ledger", "\t\tl.wake(userID)\n",
			`failpoint.Here(failpoint.BeforeWake)`),
	}},
	{"after-wake", []Edit{
		before("internal/changes", "\tfor _, group := range groupByPosition(waiting) {",
			`failpoint.If(len(waiting) > 0, failpoint.AfterWake)`),
	}},
	{"before-emit", []Edit{
		before("internal/changes", "\t\tfor _, s := range group {\n\t\t\tt.deliver(",
			`failpoint.If(len(page) > 0, failpoint.BeforeEmit)`),
	}},
	{"mid-write", []Edit{
		before("internal/engineio", "\tn, err := w.write(c.raw, p)",
			`failpoint.After(failpoint.MidWrite, func() { _, _ = w.write(c.raw, p[:len(p)/2]) })`),
		before("internal/engineio", "\tfor chunk := range slices.Chunk(body, writeChunk) {",
			`failpoint.After(failpoint.MidWrite, func() { _, _ = w.Write(body[:len(body)/2]); _ = deadlines.Flush() })`),
	}},
	{"after-answer", []Edit{
		replace("internal/app", "Handler: h, ReadHeaderTimeout:", "Handler: failpoint.Answers(h), ReadHeaderTimeout:"),
	}},
	{"in-snapshot", []Edit{
		after("handlers", "\t\t\tstart(seq)\n\t\t}",
			`failpoint.Here(failpoint.InSnapshot)`),
	}},
	{"in-catch-up", []Edit{
		before("sockets", "\t\tn := s.sendNext(page[taken:])",
			`failpoint.If(s.socket.Recovered(), failpoint.InCatchUp)`),
	}},
}
