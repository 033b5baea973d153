// Command fraud is the card activity example. It makes its own payments:
//
//	go run ./examples/fraud generate > payments.jsonl
//	go run ./examples/fraud load payments payments.jsonl --timestamp-field arrived
//	go run ./examples/fraud stream --until-end
//	go run ./examples/fraud rows card_activity --layer stream --format jsonl
package main

import (
	"fmt"
	"os"

	"github.com/spillway-go/spillway"
	"github.com/spillway-go/spillway/examples/fraud/cards"
	"github.com/spillway-go/spillway/pipeline"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "generate" {
		if err := cards.Generate(os.Stdout, 20_000, 1); err != nil {
			fmt.Fprintln(os.Stderr, "fraud:", err)
			os.Exit(1)
		}
		return
	}
	spillway.Main(&spillway.App{Pipelines: []*pipeline.Pipeline{cards.CardActivity, cards.CardMinutes}})
}
