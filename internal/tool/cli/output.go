package cli

import (
	"encoding/json"
	"fmt"
	"io"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/cli-runtime/pkg/printers"
	"sigs.k8s.io/yaml"
)

// Forms of results.
const (
	Table = "table"
	Wide  = "wide"
	JSON  = "json"
	YAML  = "yaml"
)

// Formats are all forms of results.
var Formats = []string{Table, Wide, JSON, YAML}

// APIVersion is the version of what -o json and -o yaml print. Fields are added without a new one; a field that goes or changes its
// meaning makes one. Every such object has this as its apiVersion, and a kind.
const APIVersion = "nodegroups.cluster-autoscaler-openstack/v1"

// Unknown is printed for what is not known.
const Unknown = "<unknown>"

// None is printed for what is not there, as kubectl does.
const None = "<none>"

// IsWide says whether more columns are wanted.
func (o *Options) IsWide() bool { return o.Output == Wide }

// IsStructured says whether the result is for programs, not for people.
func (o *Options) IsStructured() bool { return o.Output == JSON || o.Output == YAML }

// Print prints a result: object as JSON or YAML, else what human writes. object has its apiVersion and kind in itself.
func (o *Options) Print(object any, human func(io.Writer) error) error {
	switch o.Output {
	case JSON:
		text, err := json.MarshalIndent(object, "", "    ")
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(o.Out, "%s\n", text)
		return err
	case YAML:
		text, err := yaml.Marshal(object)
		if err != nil {
			return err
		}
		_, err = fmt.Fprintf(o.Out, "---\n%s", text)
		return err
	}
	return human(o.Out)
}

// TablePrinter prints tables below each other whose columns stay as wide as they have become.
type TablePrinter struct {
	columns io.Writer
	wide    bool
	begun   bool
}

// NewTablePrinter returns a TablePrinter.
func NewTablePrinter(out io.Writer, wide bool) *TablePrinter {
	return &TablePrinter{columns: printers.GetNewTabWriter(out), wide: wide}
}

// Print prints a table, the head of the first one only.
func (p *TablePrinter) Print(table *metav1.Table) error {
	options := printers.PrintOptions{Wide: p.wide, NoHeaders: p.begun}
	p.begun = true
	if err := printers.NewTablePrinter(options).PrintObj(table, p.columns); err != nil {
		return err
	}
	if flusher, ok := p.columns.(interface{ Flush() error }); ok {
		return flusher.Flush()
	}
	return nil
}

// PrintTable prints a table as kubectl does. Columns with a priority above 0 are shown if wide.
func PrintTable(out io.Writer, table *metav1.Table, wide bool) error {
	return printers.NewTablePrinter(printers.PrintOptions{Wide: wide}).PrintObj(table, out)
}

// Columns makes a table's columns of their names; those after "|" are for wide tables only.
func Columns(names ...string) []metav1.TableColumnDefinition {
	var columns []metav1.TableColumnDefinition
	priority := int32(0)
	for _, name := range names {
		if name == "|" {
			priority = 1
			continue
		}
		columns = append(columns, metav1.TableColumnDefinition{Name: name, Type: "string", Priority: priority})
	}
	return columns
}
