package app

import (
	"fmt"
	"io"
	"maps"
	"strings"

	"github.com/spf13/pflag"
)

// helpWidth is where lines of --help are wrapped.
const helpWidth = 120

const about = `cluster-autoscaler-openstack makes Heat stacks grow when pods are pending and shrink when nodes are idle.

Usage:
  cluster-autoscaler-openstack --cloud-config=FILE --node-group-auto-discovery=heat:tag=TAG[,tag=TAG...] [flags]
`

// writeHelp explains all flags in sections, ours first.
func writeHelp(out io.Writer, program form, all *pflag.FlagSet, own map[string]bool) {
	ours := maps.Clone(own)
	for name := range usages {
		ours[name] = true
	}
	sections := []struct {
		title string
		holds func(*pflag.Flag) bool
	}{
		{"gRPC", func(f *pflag.Flag) bool { return program.grpc && strings.HasPrefix(f.Name, "grpc-") }},
		{"OpenStack", func(f *pflag.Flag) bool { return ours[f.Name] }},
		{"Leader election", func(f *pflag.Flag) bool { return strings.HasPrefix(f.Name, "leader-elect") }},
		{"Logging", isLogging},
		{"Cluster autoscaler", func(*pflag.Flag) bool { return true }},
	}
	sets := make([]*pflag.FlagSet, len(sections))
	for i := range sets {
		sets[i] = pflag.NewFlagSet("", pflag.ContinueOnError)
	}
	all.VisitAll(func(f *pflag.Flag) {
		if isForeign(f) || !program.knows(f, own) {
			return
		}
		for i, s := range sections {
			if s.holds(f) {
				sets[i].AddFlag(f)
				return
			}
		}
	})
	_, _ = fmt.Fprint(out, program.about)
	for i, s := range sections {
		if !sets[i].HasFlags() {
			continue
		}
		_, _ = fmt.Fprintf(out, "\n%s flags:\n%s", s.title, sets[i].FlagUsagesWrapped(helpWidth))
	}
}

// isLogging knows the flags of klog and component-base.
func isLogging(f *pflag.Flag) bool {
	switch f.Name {
	case "v", "vmodule", "logtostderr", "alsologtostderr", "stderrthreshold", "one-output", "add-dir-header", "skip-headers",
		"skip-log-headers", "feature-gates":
		return true
	}
	return strings.HasPrefix(f.Name, "log-") || strings.HasPrefix(f.Name, "logging-")
}
