package app

import (
	"fmt"
	"strings"
)

// FlagsMarkdown returns the table of our flags for the reference documentation.
func FlagsMarkdown() string {
	var b strings.Builder
	b.WriteString("| flag | default | meaning |\n|---|---|---|\n")
	for _, f := range OurFlags() {
		value := "`" + f.Default + "`"
		if f.Default == "" {
			value = ""
		}
		fmt.Fprintf(&b, "| `--%s` | %s | %s |\n", f.Name, value, strings.ReplaceAll(f.Usage, "|", "\\|"))
	}
	return b.String()
}
