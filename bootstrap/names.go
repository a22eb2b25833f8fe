package bootstrap

// Names that are part of the contract with users' RBAC rules and with earlier versions of ourselves: they must not be changed.
const (
	// TokenGroup is the group that bearers of our tokens are in, beside system:bootstrappers. It is bound to the ClusterRole
	// system:node-bootstrapper, so that they may ask for a certificate, and to nothing that approves it.
	TokenGroup = "system:bootstrappers:cluster-autoscaler-openstack"
	// TokenNamespace is where Kubernetes looks for bootstrap tokens.
	TokenNamespace = "kube-system"
	// ManagedByLabel and ManagedBy mark the Secrets that are ours.
	ManagedByLabel = "app.kubernetes.io/managed-by"
	ManagedBy      = "cluster-autoscaler-openstack"
	// InstanceLabel says, on a token's Secret, which of several autoscalers of one cluster minted it: each looks after its own.
	InstanceLabel = "cluster-autoscaler-openstack/instance"
	// NodeGroupAnnotation names, on a token's Secret, the node group whose machines the token is for. It is an annotation and
	// not a label, because a node group's name need not be a label's value.
	NodeGroupAnnotation = "cluster-autoscaler-openstack/node-group"
	// UserPrefix comes before a token's id in the name that the API server gives its bearer
	// (k8s.io/cluster-bootstrap/token/api, BootstrapUserPrefix).
	UserPrefix = "system:bootstrap:"
)
