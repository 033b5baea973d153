package spillway

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/spillway-go/spillway/internal/fault"
)

// command is the program's command line. Each command's file says what it does; none of them keeps state here.
func (a *App) command() *cobra.Command {
	root := &cobra.Command{
		Use:           program(),
		Short:         "Features that are the same live and in the nightly batch",
		Long:          a.about(),
		SilenceErrors: true,
		SilenceUsage:  true,
		Args:          unknownCommand,
		RunE:          func(c *cobra.Command, _ []string) error { return c.Help() },
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	root.SetFlagErrorFunc(unknownFlag)
	configFlags(root.PersistentFlags())
	root.AddCommand(
		a.devCommand(), a.loadCommand(), a.streamCommand(), a.archiveCommand(), a.batchCommand(), a.scheduleCommand(),
		a.rowsCommand(), a.reconcileCommand(), a.serveCommand(), a.trainingCommand(), a.explainCommand(), versionCommand(),
	)
	return root
}

// program is the name under which the program was called.
func program() string {
	name := filepath.Base(os.Args[0])
	return strings.TrimSuffix(strings.ReplaceAll(name, " ", "-"), ".exe")
}

// about is what the program does, and with which pipelines.
func (a *App) about() string {
	text := "One definition, run as a stream and as a batch, served merged, and reconciled with a proven cause for every difference."
	if names := a.names(); len(names) > 0 {
		text += "\n\nPipelines: " + strings.Join(names, ", ")
	}
	return text
}

// names are those of the pipelines, whether or not their definitions are right.
func (a *App) names() []string {
	var names []string
	for _, p := range a.Pipelines {
		if p != nil {
			names = append(names, p.Name())
		}
	}
	return names
}

// onePipeline wants the name of one pipeline behind a command.
func (a *App) onePipeline(c *cobra.Command, args []string) error {
	if len(args) == 1 {
		return nil
	}
	return fault.New(c.Name(), fmt.Sprintf("takes the name of one pipeline, and got %d", len(args)),
		"name one of: "+strings.Join(a.names(), ", "))
}

// noArguments wants nothing but flags behind a command.
func noArguments(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	return fault.New(c.Name(), fmt.Sprintf("takes no arguments, and got %q", args[0]), "leave it away")
}

// unknownCommand refuses arguments of the root, which are misspelt commands.
func unknownCommand(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return nil
	}
	var known []string
	for _, sub := range c.Commands() {
		if !sub.Hidden {
			known = append(known, sub.Name())
		}
	}
	return fault.New(fmt.Sprintf("command %q", args[0]), "is unknown", didYouMean(args[0], known))
}

// unknownFlag adds the nearest known flag to pflag's words.
func unknownFlag(c *cobra.Command, err error) error {
	_, name, found := strings.Cut(err.Error(), "unknown flag: --")
	if !found {
		return fault.Wrap(err, "flags", "are wrong", fmt.Sprintf("see %s --help", c.CommandPath()))
	}
	var known []string
	c.Flags().VisitAll(func(f *pflag.Flag) { known = append(known, "--"+f.Name) })
	return fault.New("flag --"+name, "is unknown", didYouMean("--"+name, known))
}

func (a *App) explainCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "explain [PIPELINE…]",
		Short: "Describe what pipelines read, compute and mean, with the hash of each plan",
		RunE: func(c *cobra.Command, args []string) error {
			plans, err := a.selected(args)
			if err != nil {
				return err
			}
			for i, p := range plans {
				if i > 0 {
					fmt.Fprintln(c.OutOrStdout())
				}
				fmt.Fprint(c.OutOrStdout(), p.Explain())
			}
			return nil
		},
	}
}

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the versions of spillway and Go",
		Args:  noArguments,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := fmt.Fprintln(c.OutOrStdout(), version())
			return err
		},
	}
}

// version is the module's version as the build recorded it, whether spillway is the main module or a dependency.
func version() string {
	const path = "github.com/spillway-go/spillway"
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return "spillway (unknown build)"
	}
	v := info.Main.Version
	for _, d := range info.Deps {
		if d.Path == path {
			v = d.Version
		}
	}
	if v == "" || v == "(devel)" {
		v = "development"
	}
	return fmt.Sprintf("spillway %s %s", v, info.GoVersion)
}
