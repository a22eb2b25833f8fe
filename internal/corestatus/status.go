// Package corestatus reads what cluster-autoscaler writes of itself into its status ConfigMap: text up to 1.29, YAML since 1.30.
// It does so without cluster-autoscaler's own packages.
package corestatus

import (
	"errors"
	"strings"
	"time"

	"sigs.k8s.io/yaml"
)

// Status is what cluster-autoscaler said when it last looked. Fields that it did not tell are zero, times nil.
type Status struct {
	// At is when it wrote it.
	At time.Time
	// Initializing: it had just been started and had decided nothing yet.
	Initializing bool
	// Health, ScaleUp and ScaleDown are its words for the whole cluster.
	Health, ScaleUp, ScaleDown Condition
	// Ready and Registered are the cluster's nodes.
	Ready, Registered int
	Groups            []Group
}

// Condition is a word of cluster-autoscaler's, such as Healthy or Backoff, and since when and up to when it has held.
type Condition struct {
	Word          string
	Since, Probed *time.Time
}

// Group is what it said of one node group.
type Group struct {
	Name                       string
	Health, ScaleUp, ScaleDown Condition
	// BackoffCode and BackoffMessage say why it does not try to grow the group; since 1.30 only.
	BackoffCode, BackoffMessage string
	// Ready are its Ready nodes, Target its target size, MinSize and MaxSize its limits as cluster-autoscaler is told them: a floor
	// is in MinSize.
	Ready, Target, MinSize, MaxSize int
}

// Group returns what is said of the group with that name, nil if nothing is.
func (s *Status) Group(name string) *Group {
	for i := range s.Groups {
		if s.Groups[i].Name == name {
			return &s.Groups[i]
		}
	}
	return nil
}

// ErrForm says that the text is in no form that is known.
var ErrForm = errors.New("cluster-autoscaler's status is in a form that is not known here")

// Parse reads the ConfigMap's key "status".
func Parse(text string) (*Status, error) {
	if strings.HasPrefix(text, "Cluster-autoscaler status at ") {
		return parseText(text)
	}
	var doc document
	if err := yaml.Unmarshal([]byte(text), &doc); err != nil || doc.Time == "" {
		return nil, ErrForm
	}
	return doc.status()
}
