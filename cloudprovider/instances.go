package cloudprovider

import (
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Nodes lists the group's members under the ids that their nodes have in spec.providerID; members without a server under
// their placeholder's name. Servers whose node has no provider id are left out: no id would match the node, and core
// would delete the server when its provision time is over.
func (n *nodeGroup) Nodes() (list []cloudprovider.Instance, err error) {
	defer n.provider.caught("NodeGroup.Nodes", n.name, func(caught error) {
		n.mu.Lock()
		defer n.mu.Unlock()
		if list, err = n.lastList, nil; list == nil {
			err = caught
		}
	})
	g := n.group()
	if g == nil {
		return nil, errVanished
	}
	list = make([]cloudprovider.Instance, 0, len(g.Members))
	for _, m := range g.Members {
		if id, ok := n.provider.instanceID(m); ok {
			list = append(list, cloudprovider.Instance{Id: id, Status: statusOf(m)})
		}
	}
	n.mu.Lock()
	defer n.mu.Unlock()
	n.lastList = list
	return list, nil
}

// instanceID returns the id under which core knows a member; ok is false if it must not know it.
func (p *Provider) instanceID(m *nodegroups.Member) (id string, ok bool) {
	if m.ServerID != "" {
		return p.ids.instanceID(m.ServerID)
	}
	return m.Placeholder, m.Placeholder != ""
}

// statusOf says what core makes of a member's state:
//   - a creating or running member without a node is waited for, and deleted when its provision time is over;
//   - a failed one must be shown as creating with an error. No other form makes core take it out of the group and look
//     for capacity elsewhere;
//   - a lost one has no server that could become a node, so core must not wait for one. It is not shown as failed: core
//     would blame the scale-up of other members for it. The stack repairs itself.
func statusOf(m *nodegroups.Member) *cloudprovider.InstanceStatus {
	switch m.State {
	case nodegroups.Running:
		return &cloudprovider.InstanceStatus{State: cloudprovider.InstanceRunning}
	case nodegroups.Deleting, nodegroups.Lost:
		return &cloudprovider.InstanceStatus{State: cloudprovider.InstanceDeleting}
	case nodegroups.Failed:
		return &cloudprovider.InstanceStatus{State: cloudprovider.InstanceCreating, ErrorInfo: errorInfo(m.Failure)}
	case nodegroups.Creating:
	}
	return &cloudprovider.InstanceStatus{State: cloudprovider.InstanceCreating}
}

// errorInfo puts a failure in core's words. Core tells failures apart by class and code, and ignores one without a code.
func errorInfo(f *nodegroups.Failure) *cloudprovider.InstanceErrorInfo {
	info := &cloudprovider.InstanceErrorInfo{
		ErrorClass:   cloudprovider.OtherErrorClass,
		ErrorCode:    nodegroups.CodeCloudError,
		ErrorMessage: "the cloud gave no reason",
	}
	if f == nil {
		return info
	}
	if f.Class == nodegroups.OutOfResources {
		info.ErrorClass = cloudprovider.OutOfResourcesErrorClass
	}
	if f.Code != "" {
		info.ErrorCode = f.Code
	}
	if f.Message != "" {
		info.ErrorMessage = f.Message
	}
	return info
}
