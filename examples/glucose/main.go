package main

import (
	"os"

	"github.com/spillway-go/spillway"
	"github.com/spillway-go/spillway/examples/glucose/control"
	"github.com/spillway-go/spillway/pipeline"
)

func main() {
	app := &spillway.App{Pipelines: []*pipeline.Pipeline{control.Glucose}}
	if len(os.Args) > 1 && os.Args[1] == "demo" {
		os.Exit(demo(app, os.Args[2:]))
	}
	spillway.Main(app)
}
