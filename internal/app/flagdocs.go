package app

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"
)

// FlagsMarkdown returns the table of our flags for the reference documentation.
func FlagsMarkdown() string {
	return table(OurFlags()) + "\nThe gRPC server has these as well, and not `--dry-run`:\n\n" + table(GRPCFlags())
}

func table(flags []FlagDoc) string {
	var b strings.Builder
	b.WriteString("| flag | default | meaning |\n|---|---|---|\n")
	for _, f := range flags {
		value := "`" + f.Default + "`"
		if f.Default == "" {
			value = ""
		}
		fmt.Fprintf(&b, "| `--%s` | %s | %s |\n", f.Name, value, strings.ReplaceAll(f.Usage, "|", "\\|"))
	}
	return b.String()
}

// ExternalUsage is what the external form's --help says of flags that the embedded one does not have, and the names of the flags
// that both have from cluster-autoscaler.
func ExternalUsage() (usage string, cores []string) {
	set := pflag.NewFlagSet("", pflag.ContinueOnError)
	new(Flags).registerGRPC(set)
	return set.FlagUsagesWrapped(helpWidth), slices.Sorted(slices.Values(external.core))
}
