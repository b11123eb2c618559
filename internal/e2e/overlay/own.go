package overlay

// Applied reports whether the code was built with the overlay.
const Applied = false

// own are the patches that are neither bugs nor fail points: one by which the code
// knows that it was built with the overlay, one by which the simulation is asked
// before a commit, and one by which tests hash passwords cheaply.
var own = []Patch{
	{"applied", []Edit{replace("internal/e2e/overlay", "const Applied = false\n", "const Applied = true\n")}},
	{"quick-hashes", []Edit{replace("internal/auth", "processors/2), bcryptCost)", "processors/2), quickhash.Cost(bcryptCost))")}},
	{"commit-hook", []Edit{replace("internal/store", "\treturn tx.finish()\n", "\treturn commithook.Ask(st.ctx, tx.finish())\n")}},
}
