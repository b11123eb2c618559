package overlay

// Applied reports whether the code was built with the overlay.
const Applied = false

// own are the patches that are neither bugs nor fail points: one by which the code
// knows that it was built with the overlay, and one by which the simulation is asked
// before a commit.
var own = []Patch{
	{"applied", []Edit{replace("internal/e2e/overlay", "const Applied = false\n", "const Applied = true\n")}},
	{"commit-hook", []Edit{replace("internal/store", "\treturn tx.finish()\n", "\treturn commithook.Ask(st.ctx, tx.finish())\n")}},
}
