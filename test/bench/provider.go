package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// rig is a cloud and a provider that sees it, wired as the program wires them.
type rig struct {
	info     cloudInfo
	provider *cloudprovider.Provider
	manager  *nodegroups.Manager
	calls    *callCount
	close    func()
}

// callCount counts what the client really sends, sign-in excepted.
type callCount struct{ all, patches atomic.Int64 }

// Observe implements openstack.Observer.
func (c *callCount) Observe(service, method string, _ int, _ time.Duration) {
	if service == "keystone" {
		return
	}
	c.all.Add(1)
	if method == "PATCH" {
		c.patches.Add(1)
	}
}

func newRig(ctx context.Context, spec cloudSpec) (*rig, error) {
	info, stopCloud, err := startCloud(ctx, spec)
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "bench-")
	if err != nil {
		stopCloud()
		return nil, err
	}
	r := &rig{info: info, calls: &callCount{}}
	r.close = func() {
		_ = os.RemoveAll(dir)
		stopCloud()
	}
	if err := r.connect(ctx, dir); err != nil {
		r.close()
		return nil, err
	}
	return r, nil
}

// connect signs in and builds the provider.
func (r *rig) connect(ctx context.Context, dir string) error {
	conf := filepath.Join(dir, "cloud.conf")
	if err := os.WriteFile(conf, []byte(r.info.CloudConf), 0o600); err != nil {
		return err
	}
	session, err := openstack.NewSession(ctx, openstack.Options{CloudConfig: conf, Observer: r.calls, Rate: -1})
	if err != nil {
		return err
	}
	discovery, err := heatstack.ParseDiscovery("heat:tag=" + discoveryTag)
	if err != nil {
		return err
	}
	cloud := heatstack.New(heatstack.NewHeat(session), heatstack.NewNova(session), heatstack.Options{
		Discovery: []heatstack.Discovery{discovery},
		Reload:    func(ctx context.Context) error { _, err := session.Reload(ctx); return err },
	})
	r.manager = nodegroups.NewManager(cloud, nil, nodegroups.ManagerOptions{})
	template := func(g *nodegroups.Group) (*v1.Node, error) {
		return nodegroups.TemplateNode(g, nodegroups.TemplateOptions{})
	}
	r.provider, err = cloudprovider.New(ctx, r.manager, cloudprovider.Options{Template: template, RefreshInterval: -1})
	if err != nil {
		cloud.Close()
		return err
	}
	stop := r.close
	r.close = func() {
		_ = r.provider.Cleanup()
		cloud.Close()
		stop()
	}
	return r.provider.Refresh()
}

// node is a registered node as core shows it.
func node(serverID string) *v1.Node {
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "node-" + serverID},
		Spec:       v1.NodeSpec{ProviderID: "openstack:///" + serverID},
	}
}

// expectGroups makes sure that a benchmark does not measure an empty provider.
func (r *rig) expectGroups(groups, members int) error {
	seen := 0
	for _, g := range r.manager.Snapshot().Groups() {
		seen += len(g.Members)
		if g.Blocked != nil {
			return fmt.Errorf("group %s can't be scaled: %w", g.Name, *g.Blocked)
		}
	}
	if have := len(r.manager.Snapshot().Groups()); have != groups || seen != groups*members {
		return fmt.Errorf("found %d groups with %d members, want %d with %d each", have, seen, groups, members)
	}
	return nil
}
