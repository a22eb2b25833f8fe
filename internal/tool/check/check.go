// Package check is the command check.
package check

import (
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/check"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/ground"
)

// Report is what -o json and -o yaml print.
type Report struct {
	metav1.TypeMeta `json:",inline"`
	// Counts are how many findings there are of each status.
	Counts   map[check.Status]int `json:"counts"`
	Findings []check.Finding      `json:"findings"`
}

// coreVersion is that of cluster-autoscaler in the embedded program; a test compares it with go.mod's.
const coreVersion = "1.33.0"

type command struct {
	*cli.Options
	timeout        time.Duration
	serviceAccount string
	loadConfig     string
}

// New returns the command.
func New(o *cli.Options) *cobra.Command {
	c := &command{Options: o}
	names := make([]string, 0, len(check.Names()))
	var list strings.Builder
	for _, one := range check.Names() {
		names = append(names, one[0])
		fmt.Fprintf(&list, "  %-12s %s\n", one[0], one[1])
	}
	cmd := &cobra.Command{
		Use:   "check [CHECK...]",
		Short: "Check credentials, quotas, stacks, telemetry and permissions, and say what to do",
		Long: "Check whether everything is there that the autoscaler needs, and say what to do where it is not. Nothing is changed.\n\n" +
			"Sign in as the autoscaler does (--cloud-config=FILE with its own cloud.conf), so that it is its credentials that are checked.\n" +
			"The exit code is 1 if a finding is a failure, 0 otherwise.\n\nChecks, all of them unless some are named:\n" + list.String(),
		ValidArgs: names,
		RunE:      func(cmd *cobra.Command, args []string) error { return c.run(cmd, args) },
	}
	cmd.Flags().DurationVar(&c.timeout, "timeout", check.DefaultTimeout, "How long one check may take.")
	cmd.Flags().StringVar(&c.serviceAccount, "service-account", "", "Service account of the autoscaler, as NAME (in --autoscaler-namespace) or NAMESPACE/NAME. Without it: that of the Deployment found there.")
	cmd.Flags().StringVar(&c.loadConfig, "load-config", "", "The file that the autoscaler has as --load-config, for defaults and names of metrics.")
	return cmd
}

func (c *command) run(cmd *cobra.Command, args []string) error {
	ctx := cmd.Context()
	world := check.World{Timeout: c.timeout, Clock: c.Clock, Setup: check.Setup{
		Namespace: c.Autoscaler.Namespace, Selector: c.Autoscaler.Selector, ServiceAccount: c.serviceAccount, Core: coreVersion,
	}}
	if cmd.Flags().Changed(cli.StatusConfigMapFlag) { // else as the Deployment has it
		world.Setup.StatusConfigMap = c.Autoscaler.ConfigMap
	}
	if c.loadConfig != "" {
		defaults, err := ceilometer.LoadFile(c.loadConfig)
		if err != nil {
			return cli.Usagef("--load-config=%s: %w", c.loadConfig, err)
		}
		world.Setup.Defaults = defaults
	}
	for _, name := range args {
		if !known(cmd, name) {
			return cli.Usagef("there is no check %q; see --help for their names", name)
		}
	}
	g := ground.Stand(ctx, c.Options)
	defer g.Close()
	world.Session, world.SessionErr, world.Snapshot, world.SnapshotErr = g.Session, g.SessionErr, g.Snapshot, g.SnapshotErr
	world.Kubernetes, world.KubernetesErr, world.Setup.Wanted = g.Client, g.ClientErr, g.Wanted
	if g.Session != nil {
		world.Heat = heatstack.NewHeat(g.Session)
	}
	findings, err := check.Run(ctx, world, args...)
	if err != nil {
		return err
	}
	report := Report{
		TypeMeta: metav1.TypeMeta{APIVersion: cli.APIVersion, Kind: "CheckReport"}, Findings: findings, Counts: map[check.Status]int{},
	}
	for _, status := range []check.Status{check.OK, check.Warn, check.Fail, check.Skipped} {
		report.Counts[status] = check.Count(findings, status)
	}
	if err := c.Print(report, func(out io.Writer) error { return c.human(out, report) }); err != nil {
		return err
	}
	if check.Failed(findings) {
		return &cli.ExitError{Code: cli.ExitFailed}
	}
	return nil
}

func known(cmd *cobra.Command, name string) bool {
	for _, valid := range cmd.ValidArgs {
		if valid == name {
			return true
		}
	}
	return false
}

// human prints a table, and below it what to do.
func (c *command) human(out io.Writer, report Report) error {
	table := &metav1.Table{ColumnDefinitions: cli.Columns("CHECK", "STATUS", "THING", "FOUND", "|", "REMEDY")}
	for _, f := range report.Findings {
		table.Rows = append(table.Rows, metav1.TableRow{
			Cells: []any{f.Check, string(f.Status), f.Thing, f.Found, f.Remedy}, Object: runtime.RawExtension{},
		})
	}
	if err := cli.PrintTable(out, table, c.IsWide()); err != nil {
		return err
	}
	said := map[string]bool{}
	for _, status := range []check.Status{check.Fail, check.Warn, check.Skipped} {
		for _, f := range report.Findings {
			if f.Status != status || f.Remedy == "" || said[f.Check+f.Remedy] {
				continue
			}
			if len(said) == 0 {
				_, _ = fmt.Fprintln(out, "\nWhat to do:")
			}
			said[f.Check+f.Remedy] = true
			_, _ = fmt.Fprintf(out, "  %-4s  %s, %s: %s\n", f.Status, f.Check, f.Thing, f.Remedy)
		}
	}
	_, err := fmt.Fprintf(out, "\n%d ok, %d warn, %d fail, %d skipped\n", report.Counts[check.OK], report.Counts[check.Warn],
		report.Counts[check.Fail], report.Counts[check.Skipped])
	return err
}
