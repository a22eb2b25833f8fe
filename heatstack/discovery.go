package heatstack

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Discovery says which stacks are node groups: those that carry all of the tags.
type Discovery struct {
	Tags []string
}

// ParseDiscovery reads a --node-group-auto-discovery value: "heat:tag=a,tag=b=c" wants the tags "a" and "b=c".
func ParseDiscovery(spec string) (Discovery, error) {
	kind, rest, ok := strings.Cut(spec, ":")
	if !ok || kind != "heat" {
		return Discovery{}, fmt.Errorf("auto discovery %q: want the form heat:tag=NAME[,tag=KEY=VALUE...]", spec)
	}
	var d Discovery
	for part := range strings.SplitSeq(rest, ",") {
		key, tag, _ := strings.Cut(strings.TrimSpace(part), "=")
		tag = strings.TrimSpace(tag)
		if key != "tag" || tag == "" {
			return Discovery{}, fmt.Errorf("auto discovery %q: %q is not of the form tag=NAME or tag=KEY=VALUE", spec, part)
		}
		if !slices.Contains(d.Tags, tag) {
			d.Tags = append(d.Tags, tag)
		}
	}
	return d, nil
}

// matches says whether a stack with these tags is wanted.
func (d Discovery) matches(tags []string) bool {
	for _, want := range d.Tags {
		if !slices.Contains(tags, want) {
			return false
		}
	}
	return true
}

// NamedStack is a stack that is a node group because a flag names it, with the limits of that flag.
type NamedStack struct {
	// Name is the stack's name or id.
	Name             string
	MinSize, MaxSize int
}

// ParseNamed reads a --nodes value: "min:max:name".
func ParseNamed(spec string) (NamedStack, error) {
	parts := strings.SplitN(spec, ":", 3)
	if len(parts) != 3 || parts[2] == "" {
		return NamedStack{}, fmt.Errorf("nodes %q: want the form MIN:MAX:STACK", spec)
	}
	minSize, err := strconv.Atoi(parts[0])
	if err != nil || minSize < 0 {
		return NamedStack{}, fmt.Errorf("nodes %q: minimum %q is not a number from 0 up", spec, parts[0])
	}
	maxSize, err := strconv.Atoi(parts[1])
	if err != nil || maxSize < 1 {
		return NamedStack{}, fmt.Errorf("nodes %q: maximum %q is not a number from 1 up", spec, parts[1])
	}
	if minSize > maxSize {
		return NamedStack{}, fmt.Errorf("nodes %q: the minimum is above the maximum", spec)
	}
	return NamedStack{Name: parts[2], MinSize: minSize, MaxSize: maxSize}, nil
}

// names says whether the flag means this stack.
func (n NamedStack) names(row *StackRow) bool { return n.Name == row.Name || n.Name == row.ID }
