// Command glucose is the flagship example. It has every command of spillway's, and one of its own that runs them all:
//
//	go run ./examples/glucose demo
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spillway-go/spillway"
	"github.com/spillway-go/spillway/examples/glucose/control"
	"github.com/spillway-go/spillway/pipeline"
)

func main() {
	app := &spillway.App{Pipelines: []*pipeline.Pipeline{control.Glucose}}
	if len(os.Args) < 2 || os.Args[1] != "demo" {
		spillway.Main(app)
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends it at once
	os.Exit(demo(ctx, app, os.Stdout, os.Args[2:]))
}
