// Package ground is what the commands that look at OpenStack directly stand on: the login, the node groups and the cluster.
package ground

import (
	"context"
	"errors"
	"fmt"
	"strings"

	"k8s.io/client-go/kubernetes"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/check"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/installed"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cloud"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// errNoCredentials says that there is nothing to sign in with.
var errNoCredentials = errors.New("there are no credentials for OpenStack: give --cloud=ENTRY of clouds.yaml, --cloud-config=FILE, or the OS_* variables of an openrc file")

// Ground is what could be had. What could not is nil, with the reason beside it.
type Ground struct {
	Session     *openstack.Session
	SessionErr  error
	Reader      *cloud.Reader
	Snapshot    *nodegroups.Snapshot
	SnapshotErr error
	Client      kubernetes.Interface
	ClientErr   error
	// Wanted says in words which stacks are node groups, and where that is from; empty if it is not known.
	Wanted string
}

// Stand gets all of it. Close it in the end.
func Stand(ctx context.Context, o *cli.Options) *Ground {
	g := &Ground{}
	g.Client, g.ClientErr = o.Client()
	if !o.HasCredentials() {
		g.SessionErr = errNoCredentials
		return g
	}
	if g.Session, g.SessionErr = o.Session(ctx); g.SessionErr != nil {
		g.Session = nil
		return g
	}
	discovery, named, err := g.wanted(ctx, o)
	if err != nil {
		g.SnapshotErr = err
		return g
	}
	g.Reader = cloud.NewReader(g.Session, discovery, named)
	snapshot, err := g.Reader.Read(ctx)
	if err != nil {
		g.SnapshotErr = err
		return g
	}
	g.Snapshot = snapshot
	return g
}

// Groups are the node groups, or why they are not known.
func (g *Ground) Groups() (*nodegroups.Snapshot, error) {
	switch {
	case g.SessionErr != nil:
		return nil, g.SessionErr
	case g.SnapshotErr != nil:
		return nil, fmt.Errorf("reading the node groups: %w", g.SnapshotErr)
	}
	return g.Snapshot, nil
}

// Close ends what runs in the background.
func (g *Ground) Close() {
	if g.Reader != nil {
		g.Reader.Close()
	}
}

// wanted says which stacks are node groups: as flags have it, else as the autoscaler's Deployment has it, else those with the usual tag.
func (g *Ground) wanted(ctx context.Context, o *cli.Options) ([]heatstack.Discovery, []heatstack.NamedStack, error) {
	if discovery, named := o.NodeGroups(); len(discovery)+len(named) > 0 {
		g.Wanted = strings.Join(append(append([]string{}, o.AutoDiscovery...), o.Nodes...), " ") + ", by flags"
		return discovery, named, nil
	}
	if g.Client != nil {
		specs, names, err := g.flags(ctx, o.Autoscaler.Where())
		if err != nil {
			return nil, nil, err
		}
		discovery, named, err := cli.ParseStacks(specs, names)
		if err != nil {
			return nil, nil, fmt.Errorf("the autoscaler's Deployment: %w", err)
		}
		if len(discovery)+len(named) > 0 {
			g.Wanted = strings.Join(append(append([]string{}, specs...), names...), " ") + ", as the autoscaler's Deployment has it"
			return discovery, named, nil
		}
	}
	g.Wanted = "heat:tag=" + cli.UsualTag + ", since neither flags nor a Deployment say which"
	return cli.UsualStacks(), nil, nil
}

// flags are those of the autoscaler's Deployment. Where it can't be looked for, nothing else may be taken for its stacks: they would
// be the wrong ones.
func (g *Ground) flags(ctx context.Context, where installed.Where) (discovery, named []string, err error) {
	ctx, cancel := Bounded(ctx)
	defer cancel()
	found, err := installed.Deployments(ctx, g.Client, where)
	switch {
	case err != nil:
		return nil, nil, fmt.Errorf("which stacks are node groups is not known: the autoscaler's Deployment can't be read; give --node-group-auto-discovery or --nodes: %w",
			cli.Explain(fmt.Sprintf("list deployments in namespace %q", where.Namespace), err))
	case len(found) == 0:
		return nil, nil, nil
	}
	return found[0].Provider["node-group-auto-discovery"], found[0].Provider["nodes"], nil
}

// Bounded is ctx with the time that one question to the cluster may take.
func Bounded(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, check.DefaultTimeout)
}
