package sight

import (
	"context"
	"fmt"
	"slices"
	"strings"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/installed"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
)

// choose finds the way: what the operator asks for by flags; else the status that the autoscaler serves; else OpenStack, with the
// credentials of the environment.
func (r *Reader) choose(ctx context.Context) (way, error) {
	o := r.options
	switch {
	case o.Autoscaler.StatusURL != "":
		return newStatusURL(o.Autoscaler.StatusURL)
	case o.Cloud != "" || o.CloudConfig != "":
		return r.newOpenStack(ctx)
	}
	served, missing := r.servedByPod(ctx)
	if served != nil {
		return served, nil
	}
	if o.HasCredentials() {
		return r.newOpenStack(ctx)
	}
	return nil, fmt.Errorf("node groups can't be read: %s, and there are no credentials for OpenStack; "+
		"either let the autoscaler serve its status (--status-address=:PORT; where it is not found: --autoscaler-namespace, --autoscaler-selector, --status-url), "+
		"or sign in to OpenStack (--cloud=ENTRY of clouds.yaml, --cloud-config=FILE or the OS_* variables of an openrc file)", missing)
}

// servedByPod finds a pod of the autoscaler that serves its status and answers. Without one it says why not.
func (r *Reader) servedByPod(ctx context.Context) (served way, missing string) {
	if len(r.autoscaler.Pods) == 0 {
		return nil, fmt.Sprintf("no running pod of the autoscaler is found in namespace %q", r.options.Autoscaler.Namespace)
	}
	candidate := &podStatus{cluster: r.cluster, pods: r.autoscaler.Pods}
	_, err := candidate.read(ctx)
	if err == nil {
		return candidate, ""
	}
	if slices.ContainsFunc(r.autoscaler.Pods, func(p v1.Pod) bool { return installed.StatusPort(&p) != 0 }) {
		r.notes = append(r.notes, err.Error()) // it should have worked
	}
	return nil, strings.ReplaceAll(err.Error(), "\n", "; ")
}

// wanted says which stacks are node groups: as flags have it, else as the autoscaler's pods have it, else those with the usual tag.
func (r *Reader) wanted() (discovery []heatstack.Discovery, named []heatstack.NamedStack, note string, err error) {
	if discovery, named = r.options.NodeGroups(); len(discovery)+len(named) > 0 {
		return discovery, named, "", nil
	}
	discovery, named, err = cli.ParseStacks(r.autoscaler.Flags["node-group-auto-discovery"], r.autoscaler.Flags["nodes"])
	if err != nil {
		return nil, nil, "", fmt.Errorf("pod %q of the autoscaler: %w", r.autoscaler.Pods[0].Name, err)
	}
	if len(discovery)+len(named) > 0 {
		return discovery, named, "", nil
	}
	return cli.UsualStacks(), nil, fmt.Sprintf(
		"no pod of the autoscaler tells which stacks are its node groups: all stacks of the project with the tag %s are shown, those of other clusters too; "+
			"--node-group-auto-discovery narrows it", cli.UsualTag), nil
}
