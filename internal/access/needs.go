package access

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Needs are what a set-up asks of OpenStack besides what every one does. The zero value is a set-up without load signals whose
// stacks hold servers, ports and nothing else.
type Needs struct {
	// Shutdown: machines are shut down before they are removed (annotation graceful-shutdown-time).
	Shutdown bool
	// Gnocchi and Aetos: load is read there.
	Gnocchi, Aetos bool
	// Volumes and LoadBalancers: stacks have resources of Cinder or Octavia, whose properties Heat looks up when it checks an update.
	Volumes, LoadBalancers bool
}

// Or returns what either one needs.
func (n Needs) Or(m Needs) Needs {
	return Needs{
		Shutdown: n.Shutdown || m.Shutdown, Gnocchi: n.Gnocchi || m.Gnocchi, Aetos: n.Aetos || m.Aetos,
		Volumes: n.Volumes || m.Volumes, LoadBalancers: n.LoadBalancers || m.LoadBalancers,
	}
}

// NeedsOf finds what these node groups need. source is where metrics without a source of their own are read; aetos says that
// Prometheus is the cloud's own. Of templates it knows nothing: see NeedsOfStacks.
func NeedsOf(groups []*nodegroups.Group, source string, aetos bool) Needs {
	var n Needs
	for _, g := range groups {
		n.Shutdown = n.Shutdown || g.Config.ShutdownTime() > 0
		n.Volumes = n.Volumes || g.BootVolumeGiB > 0
		for _, metric := range g.Config.Load.Metrics {
			from := source
			if kind, _, ok := strings.Cut(metric, ":"); ok {
				from = kind
			}
			n.Gnocchi = n.Gnocchi || from == ceilometer.SourceGnocchi
			n.Aetos = n.Aetos || aetos && from == ceilometer.SourcePrometheus
		}
	}
	return n
}

// Templates reads templates and their files. heatstack.Heat does.
type Templates interface {
	GetTemplate(ctx context.Context, name, id string) (map[string]any, error)
	GetFiles(ctx context.Context, name, id string) (map[string]string, error)
}

// Unread is a stack whose template can't be read, so that nobody knows what it needs.
type Unread struct {
	Stack string
	Err   error
}

// NeedsOfStacks finds what the templates of these node groups' stacks need, as far as they can be read.
func NeedsOfStacks(ctx context.Context, templates Templates, groups []*nodegroups.Group) (needs Needs, unread []Unread) {
	for _, g := range groups {
		for _, s := range g.Stacks {
			template, err := templates.GetTemplate(ctx, s.Name, s.ID)
			var files map[string]string
			if err == nil {
				files, err = templates.GetFiles(ctx, s.Name, s.ID)
			}
			if err != nil {
				unread = append(unread, Unread{Stack: s.Name, Err: err})
				continue
			}
			needs = needs.Or(NeedsOfTemplate(template, files))
		}
	}
	return needs, unread
}

// NeedsOfTemplate finds what Heat looks up for a template and its files when it checks an update.
func NeedsOfTemplate(template map[string]any, files map[string]string) Needs {
	texts := make([]string, 0, 1+len(files))
	texts = append(texts, fmt.Sprint(template))
	for _, text := range files {
		texts = append(texts, text)
	}
	has := func(words ...string) bool {
		return slices.ContainsFunc(texts, func(text string) bool {
			return slices.ContainsFunc(words, func(word string) bool { return strings.Contains(text, word) })
		})
	}
	parameters, _ := template["parameters"].(map[string]any)
	// A boot volume whose size is a parameter is one only if that is not 0: see NeedsOf.
	_, sized := parameters["boot_volume_size"]
	return Needs{
		Volumes:       has("OS::Cinder::", "volume_id", "snapshot_id") || !sized && has("volume_size"),
		LoadBalancers: has("OS::Octavia::"),
	}
}
