package sight

import (
	"fmt"
	"slices"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Chosen are the groups with these names, all without any. A name that is none is an error that says what there is; the others are
// returned all the same.
func (s *Sight) Chosen(names []string) ([]model.NodeGroup, error) {
	if len(names) == 0 {
		return s.Groups, nil
	}
	var chosen []model.NodeGroup
	var err error
	for _, name := range names {
		g := s.Group(name)
		if g == nil {
			err = s.NoGroup(name)
			continue
		}
		chosen = append(chosen, *g)
	}
	return chosen, err
}

// NoGroup says that there is no node group of that name, and what was meant or is wrong.
func (s *Sight) NoGroup(name string) error {
	names := make([]string, 0, len(s.Groups))
	for i := range s.Groups {
		names = append(names, s.Groups[i].Name)
	}
	remedy := "there are " + strings.Join(names, ", ")
	near := slices.IndexFunc(names, func(known string) bool { return nodegroups.Misspelt(name, known) })
	switch {
	case len(names) == 0:
		remedy = "there is none at all: does a stack carry all tags of --node-group-auto-discovery?"
	case near >= 0:
		remedy = fmt.Sprintf("did you mean %q?", names[near])
	}
	for i := range s.Problems {
		if p := &s.Problems[i]; p.Group == name || p.Stack == name {
			remedy = fmt.Sprintf("%s: %s; %s", p.Code, p.String(), p.Remedy)
		}
	}
	return fmt.Errorf("there is no node group %q; %s", name, remedy)
}
