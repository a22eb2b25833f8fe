package main

import (
	"bytes"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"reflect"
	"strings"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"
	"k8s.io/cli-runtime/pkg/genericiooptions"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
)

const toolPage = referenceFolder + "tool.md"

// printed are the files whose types -o json and -o yaml print.
var printed = []string{"/internal/tool/model/model.go", "/internal/tool/why/explanation.go"}

// toolDocument is the reference of the operator's tool: what its --help prints, and what its objects look like.
func toolDocument(root string) (string, error) {
	var b strings.Builder
	b.WriteString("# The operator's tool\n\n`" + tool.Plugin + "`, which is also `" + tool.OfAutoscaler + "`. How it is used: [Ask why](../how-to/ask-why.md). " +
		"This page is made from the code.\n\nExit codes: " + fmt.Sprintf("%d all is well, %d it is not (something could not be read, or a check fails), %d the command line is wrong. ",
		cli.ExitOK, cli.ExitFailed, cli.ExitUsage) + "Results go to standard output, everything else to standard error. What is not known is printed as " +
		"\"" + cli.Unknown + "\", and left out of JSON and YAML.\n")
	command := tool.New(tool.Plugin, genericiooptions.NewTestIOStreamsDiscard())
	for _, c := range command.Commands() {
		if c.IsAvailableCommand() && c.Name() != "help" {
			writeCommand(&b, c)
		}
	}
	b.WriteString("\n## Flags of all commands\n\n```\n" + flagsOf(command.PersistentFlags()) + "```\n")
	b.WriteString("\n## Objects\n\nWhat `-o json` and `-o yaml` print has an `apiVersion`, now \"" + cli.APIVersion + "\", and a `kind`: NodeGroupList (list, and describe of several " +
		"groups), NodeGroup (describe of one, and what changes with `--watch`), Explanation (why). A field that goes, or that changes its meaning, makes a new version; " +
		"new fields do not. A field that is missing is not known or empty.\n")
	for _, file := range printed {
		if err := writeTypes(&b, root+file); err != nil {
			return "", err
		}
	}
	return b.String(), nil
}

func writeCommand(b *strings.Builder, c *cobra.Command) {
	fmt.Fprintf(b, "\n## %s\n\n", c.Name())
	var help bytes.Buffer
	about := c.Long
	if about == "" {
		about = c.Short
	}
	fmt.Fprintf(&help, "%s\n\nUsage:\n  %s\n", about, c.UseLine())
	if len(c.Aliases) > 0 {
		fmt.Fprintf(&help, "\nAlso called: %s\n", strings.Join(c.Aliases, ", "))
	}
	if c.HasExample() {
		fmt.Fprintf(&help, "\nExamples:\n%s\n", c.Example)
	}
	if own := flagsOf(c.LocalNonPersistentFlags()); own != "" {
		fmt.Fprintf(&help, "\nFlags:\n%s", own)
	}
	b.WriteString("```\n" + help.String() + "```\n")
	for _, sub := range c.Commands() {
		if sub.IsAvailableCommand() {
			writeCommand(b, sub)
		}
	}
}

// flagsOf explains flags, without what depends on the machine and without --help.
func flagsOf(set *pflag.FlagSet) string {
	shown := pflag.NewFlagSet("", pflag.ContinueOnError)
	set.VisitAll(func(f *pflag.Flag) {
		// cobra takes over the process's own flags, which here are the autoscaler's.
		if f.Name == "help" || pflag.CommandLine.Lookup(f.Name) == f {
			return
		}
		one := *f
		if one.Name == "cache-dir" {
			one.DefValue = "$HOME/.kube/cache"
		}
		shown.AddFlag(&one)
	})
	return shown.FlagUsagesWrapped(140)
}

// writeTypes writes a table for each struct in a file.
func writeTypes(b *strings.Builder, path string) error {
	file, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ParseComments)
	if err != nil {
		return err
	}
	for _, d := range file.Decls {
		declaration, ok := d.(*ast.GenDecl)
		if !ok {
			continue
		}
		for _, s := range declaration.Specs {
			spec, ok := s.(*ast.TypeSpec)
			if !ok {
				continue
			}
			if fields, ok := spec.Type.(*ast.StructType); ok && spec.Name.Name != "TypeMeta" {
				fmt.Fprintf(b, "\n### %s\n\n%s\n\n| field | type | meaning |\n|---|---|---|\n", spec.Name.Name, oneLine(declaration.Doc.Text()))
				writeFields(b, fields)
			}
		}
	}
	return nil
}

func writeFields(b *strings.Builder, fields *ast.StructType) {
	for _, f := range fields.Fields.List {
		if f.Tag == nil {
			continue
		}
		name, _, _ := strings.Cut(reflect.StructTag(strings.Trim(f.Tag.Value, "`")).Get("json"), ",")
		if name != "" {
			fmt.Fprintf(b, "| `%s` | %s | %s |\n", name, typeText(f.Type), oneLine(f.Doc.Text()))
		}
	}
}

// typeText is a type as a reader of JSON sees it.
func typeText(e ast.Expr) string {
	switch e := e.(type) {
	case *ast.StarExpr:
		return typeText(e.X)
	case *ast.ArrayType:
		return "list of " + typeText(e.Elt)
	case *ast.MapType:
		return "map of " + typeText(e.Value)
	case *ast.SelectorExpr:
		return named(e.Sel.Name)
	case *ast.Ident:
		return named(e.Name)
	}
	return ""
}

// named is what a reader of JSON calls a type of Go.
func named(name string) string {
	if word := map[string]string{
		"string": "text", "int": "number", "bool": "boolean", "Time": "time", "ResourceList": "map of quantity", "Taint": "taint of Kubernetes",
	}[name]; word != "" {
		return word
	}
	return name
}

func oneLine(text string) string {
	return strings.ReplaceAll(strings.Join(strings.Fields(text), " "), "|", "\\|")
}
