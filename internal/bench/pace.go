package main

import (
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// metronome makes time.Sleep exact to a beat until stop is called. Every beat wakes
// the program, which costs its core something: no more of them than needed. An idle Go
// program waits for the network in whole milliseconds, and looks at its timers no
// sooner: eight echoes, due one after the other, would leave together, up to a
// millisecond late, and that be counted as the server's. A timer that is a file
// descriptor wakes the program with every beat.
func metronome(beat time.Duration) (stop func(), err error) {
	fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
	if err != nil {
		return nil, fmt.Errorf("make a timer: %w", err)
	}
	every := unix.NsecToTimespec(beat.Nanoseconds())
	if err := unix.TimerfdSettime(fd, 0, &unix.ItimerSpec{Interval: every, Value: every}, nil); err != nil {
		_ = unix.Close(fd)
		return nil, fmt.Errorf("set a timer: %w", err)
	}
	timer := os.NewFile(uintptr(fd), "timer")
	go func() {
		var beats [8]byte // how many there were
		for err := error(nil); err == nil; {
			_, err = timer.Read(beats[:])
		}
	}()
	return func() { _ = timer.Close() }, nil
}
