package spillway

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"

	"github.com/spillway-go/spillway/internal/fault"
	"github.com/spillway-go/spillway/pipeline"
)

// App is what a program is made of: its pipelines.
type App struct {
	Pipelines []*pipeline.Pipeline
}

// The exit codes of every command.
const (
	exitOK           = 0
	exitBreaks       = 1 // reconcile: the stream and its re-derivation disagree
	exitTrouble      = 2 // a mistake in the call, the configuration or a definition, or a failure
	exitInconclusive = 3 // reconcile: too little was compared to say anything
)

// Main runs the program with the process's arguments and exits with its code. SIGINT and SIGTERM end a command in order:
// transactions are finished and files closed. A second one ends it at once.
func Main(app *App) {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop)
	os.Exit(app.Run(ctx, os.Args[1:]))
}

// Run runs one command line and gives its exit code.
func (a *App) Run(ctx context.Context, args []string) int {
	return a.RunTo(ctx, args, os.Stdout, os.Stderr)
}

// RunTo is Run with the results written to out, and progress and what is wrong to errs.
func (a *App) RunTo(ctx context.Context, args []string, out, errs io.Writer) int {
	root := a.command()
	root.SetArgs(args)
	root.SetOut(out)
	root.SetErr(errs)
	err := root.ExecuteContext(ctx)
	if err == nil {
		return exitOK
	}
	var code exitCode
	if errors.As(err, &code) {
		return int(code)
	}
	if stopped(ctx, err) {
		err = errors.New("interrupted before its end")
	}
	fmt.Fprintf(root.ErrOrStderr(), "%s: %v\n", root.Name(), err)
	return exitTrouble
}

// stopped tells whether an error says no more than that ctx has ended.
func stopped(ctx context.Context, err error) bool {
	return ctx.Err() != nil && (errors.Is(err, ctx.Err()) || errors.Is(err, context.Cause(ctx)))
}

// lasting is the end of work that goes on until ctx ends: that it has ended is then no failure.
func lasting(ctx context.Context, err error) error {
	if stopped(ctx, err) {
		return nil
	}
	return err
}

// finished is the end of work that may go on for ever, or be asked to end by itself: then it has to have come to its end.
func finished(ctx context.Context, untilEnd bool, err error) error {
	if untilEnd && err == nil {
		return context.Cause(ctx)
	}
	if untilEnd {
		return err
	}
	return lasting(ctx, err)
}

// exitCode ends a command with a code of its own and nothing more to say.
type exitCode int

func (c exitCode) Error() string { return fmt.Sprintf("exit code %d", int(c)) }

// plans are those of all pipelines, or every mistake of every definition.
func (a *App) plans() ([]*pipeline.Plan, error) {
	var faults fault.List
	var plans []*pipeline.Plan
	names := map[string]bool{}
	for _, p := range a.Pipelines {
		if p == nil {
			faults.Add(fault.New("App.Pipelines", "holds a nil pipeline", "remove it"))
			continue
		}
		plan, err := p.Plan()
		faults.Add(err)
		if names[p.Name()] {
			faults.Add(fault.New("pipeline "+p.Name(), "is there twice", "give each pipeline a name of its own"))
		}
		names[p.Name()] = true
		plans = append(plans, plan)
	}
	if len(a.Pipelines) == 0 {
		faults.Add(fault.New("App.Pipelines", "is empty", "add what pipeline.Define returns"))
	}
	return plans, faults.Err()
}

// selected are the plans of the named pipelines; of no names, all.
func (a *App) selected(names []string) ([]*pipeline.Plan, error) {
	plans, err := a.plans()
	if err != nil || len(names) == 0 {
		return plans, err
	}
	var chosen []*pipeline.Plan
	for _, name := range names {
		i := slices.IndexFunc(plans, func(p *pipeline.Plan) bool { return p.Name == name })
		if i < 0 {
			return nil, fault.New(fmt.Sprintf("pipeline %q", name), "is not defined", didYouMean(name, a.names()))
		}
		chosen = append(chosen, plans[i])
	}
	return chosen, nil
}
