package heatstack

import (
	"encoding/json"
	"slices"
	"sort"
	"strconv"
	"strings"
)

// indexSet is a set of indices: names of members of an OS::Heat::ResourceGroup.
type indexSet map[int]bool

func (s indexSet) add(indices ...int) {
	for _, i := range indices {
		s[i] = true
	}
}

// union is a new set of what is in s or in other.
func (s indexSet) union(other indexSet) indexSet {
	out := make(indexSet, len(s)+len(other))
	for i := range s {
		out[i] = true
	}
	for i := range other {
		out[i] = true
	}
	return out
}

// minus is a new set of what is in s and not in other.
func (s indexSet) minus(other indexSet) indexSet {
	out := indexSet{}
	for i := range s {
		if !other[i] {
			out[i] = true
		}
	}
	return out
}

// within is a new set of what is in s and in other.
func (s indexSet) within(other indexSet) indexSet { return s.minus(s.minus(other)) }

// both counts what is in s and in other.
func (s indexSet) both(other indexSet) int {
	n := 0
	for i := range s {
		if other[i] {
			n++
		}
	}
	return n
}

// containsAll tells whether every index of other is in s.
func (s indexSet) containsAll(other indexSet) bool { return s.both(other) == len(other) }

// sorted lists the indices in ascending order.
func (s indexSet) sorted() []int {
	out := make([]int, 0, len(s))
	for i := range s {
		out = append(out, i)
	}
	sort.Ints(out)
	return out
}

// names lists the indices as Heat writes them, in ascending order. It is never nil.
func (s indexSet) names() []string {
	out := make([]string, 0, len(s))
	for _, i := range s.sorted() {
		out = append(out, strconv.Itoa(i))
	}
	return out
}

// top is the highest index, -1 for an empty set.
func (s indexSet) top() int {
	highest := -1
	for i := range s {
		highest = max(highest, i)
	}
	return highest
}

// firstFree is what Heat makes of a count and a blacklist: the first count numbers that are not excluded
// (heat/engine/resources/openstack/heat/resource_group.py, _resource_names).
func firstFree(count int, excluded indexSet) indexSet {
	out := make(indexSet, max(count, 0))
	for i := 0; len(out) < count; i++ {
		if !excluded[i] {
			out[i] = true
		}
	}
	return out
}

// parseIndex reads a member's name. Only what strconv.Itoa would write again is an index: Heat compares text.
func parseIndex(name string) (int, bool) {
	i, err := strconv.Atoi(name)
	return i, err == nil && i >= 0 && strconv.Itoa(i) == name
}

// parseSize reads the size parameter as Heat returns it.
func parseSize(value string) (int, bool) {
	value = strings.TrimSpace(value)
	if n, err := strconv.Atoi(value); err == nil {
		return n, n >= 0
	}
	// A parameter of type number may have been set as 3.0.
	if whole, found := strings.CutSuffix(value, ".0"); found {
		n, err := strconv.Atoi(whole)
		return n, err == nil && n >= 0
	}
	return 0, false
}

// parseList reads the removal parameter as Heat returns it: "1,2" of a comma_delimited_list, JSON of a json parameter.
func parseList(value string) []string {
	value = strings.TrimSpace(value)
	if strings.HasPrefix(value, "[") {
		var entries []any
		if err := json.Unmarshal([]byte(value), &entries); err == nil {
			out := make([]string, 0, len(entries))
			for _, entry := range entries {
				switch e := entry.(type) {
				case string:
					out = append(out, strings.TrimSpace(e))
				case float64:
					out = append(out, strconv.FormatFloat(e, 'f', -1, 64))
				}
			}
			return out
		}
	}
	var out []string
	for _, entry := range strings.Split(value, ",") {
		if entry = strings.TrimSpace(entry); entry != "" {
			out = append(out, entry)
		}
	}
	return out
}

// sameEntries compares removal lists without regard to order and repetition, which mean nothing to Heat.
func sameEntries(a, b []string) bool {
	normal := func(in []string) []string {
		out := slices.Clone(in)
		slices.Sort(out)
		return slices.Compact(out)
	}
	return slices.Equal(normal(a), normal(b))
}
