package sockets

import (
	"context"
	"testing"
	"testing/synctest"
	"time"
)

func TestTaskGroupWaitsForItsTasks(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		g, began, ended := newTaskGroup(), make(chan struct{}), false
		go g.run(func(ctx context.Context) {
			close(began)
			<-ctx.Done()
			time.Sleep(time.Second)
			ended = true
		})
		<-began
		g.stop()
		if !ended {
			t.Error("stop does not wait")
		}
		g.run(func(context.Context) { t.Error("a task begins after stop") })
	})
}
