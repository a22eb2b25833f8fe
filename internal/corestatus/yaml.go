package corestatus

import (
	"fmt"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// document is the YAML form (clusterstate/api/types.go of cluster-autoscaler since 1.30), as far as it is read here.
type document struct {
	Time             string `json:"time"`
	AutoscalerStatus string `json:"autoscalerStatus"`
	ClusterWide      struct {
		Health    healthDocument    `json:"health"`
		ScaleUp   conditionDocument `json:"scaleUp"`
		ScaleDown conditionDocument `json:"scaleDown"`
	} `json:"clusterWide"`
	NodeGroups []struct {
		Name      string            `json:"name"`
		Health    healthDocument    `json:"health"`
		ScaleUp   conditionDocument `json:"scaleUp"`
		ScaleDown conditionDocument `json:"scaleDown"`
	} `json:"nodeGroups"`
}

type conditionDocument struct {
	Status             string      `json:"status"`
	LastProbeTime      metav1.Time `json:"lastProbeTime"`
	LastTransitionTime metav1.Time `json:"lastTransitionTime"`
	BackoffInfo        struct {
		ErrorCode    string `json:"errorCode"`
		ErrorMessage string `json:"errorMessage"`
	} `json:"backoffInfo"`
}

type healthDocument struct {
	conditionDocument `json:",inline"`
	NodeCounts        struct {
		Registered struct {
			Total int `json:"total"`
			Ready int `json:"ready"`
		} `json:"registered"`
	} `json:"nodeCounts"`
	CloudProviderTarget int `json:"cloudProviderTarget"`
	MinSize             int `json:"minSize"`
	MaxSize             int `json:"maxSize"`
}

func (c *conditionDocument) condition() Condition {
	return Condition{Word: c.Status, Since: timeOf(c.LastTransitionTime.Time), Probed: timeOf(c.LastProbeTime.Time)}
}

func (d *document) status() (*Status, error) {
	at, err := parseTime(d.Time)
	if err != nil {
		return nil, err
	}
	s := &Status{
		At: at, Initializing: d.AutoscalerStatus == "Initializing",
		Health: d.ClusterWide.Health.condition(), ScaleUp: d.ClusterWide.ScaleUp.condition(), ScaleDown: d.ClusterWide.ScaleDown.condition(),
		Ready: d.ClusterWide.Health.NodeCounts.Registered.Ready, Registered: d.ClusterWide.Health.NodeCounts.Registered.Total,
	}
	for i := range d.NodeGroups {
		g := &d.NodeGroups[i]
		s.Groups = append(s.Groups, Group{
			Name: g.Name, Health: g.Health.condition(), ScaleUp: g.ScaleUp.condition(), ScaleDown: g.ScaleDown.condition(),
			BackoffCode: g.ScaleUp.BackoffInfo.ErrorCode, BackoffMessage: g.ScaleUp.BackoffInfo.ErrorMessage,
			Ready: g.Health.NodeCounts.Registered.Ready, Target: g.Health.CloudProviderTarget, MinSize: g.Health.MinSize, MaxSize: g.Health.MaxSize,
		})
	}
	return s, nil
}

// timeForm is how Go prints a time without its monotonic clock, which is how cluster-autoscaler writes it.
const timeForm = "2006-01-02 15:04:05.999999999 -0700 MST"

func parseTime(text string) (time.Time, error) {
	at, err := time.Parse(timeForm, text)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: %q is no time", ErrForm, text)
	}
	return at, nil
}

// timeOf is nil for the zero time.
func timeOf(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}
	return &t
}
