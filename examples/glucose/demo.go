package main

import "github.com/spillway-go/spillway"

func demo(app *spillway.App) int { return 0 }
