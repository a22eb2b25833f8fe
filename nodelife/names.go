package nodelife

// Annotations of Nodes. They are part of the contract with earlier versions of ourselves and must not be changed.
const (
	// CloudAnnotation says in which cloud the Node's server is, as REGION/PROJECT. It is written while the server is seen as
	// a member of a node group, and is what allows its Node to be deleted later, by another process too.
	CloudAnnotation = "cluster-autoscaler-openstack/cloud"
	// NodeGroupAnnotation names the node group that the Node's server was seen in.
	NodeGroupAnnotation = "cluster-autoscaler-openstack/node-group"
	// StoppedAnnotation says since when the Node's server has been shut down for its removal, in RFC 3339. Such a server is
	// not repaired.
	StoppedAnnotation = "cluster-autoscaler-openstack/stopped-for-removal"
)

// What cluster-autoscaler writes on Nodes (cluster-autoscaler/utils/taints and core/scaledown/eligibility).
const (
	toBeDeletedTaint      = "ToBeDeletedByClusterAutoscaler"
	noScaleDownAnnotation = "cluster-autoscaler.kubernetes.io/scale-down-disabled"
)

// CloudName is the value of CloudAnnotation; empty if one of the two is not known, which proves nothing. A cloud may
// well have only one region that nobody names.
func CloudName(region, project string) string {
	if project == "" {
		return ""
	}
	return region + "/" + project
}
