package check_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	authorization "k8s.io/api/authorization/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/access"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/check"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

func TestAHealthyWorldHasNothingToComplainOf(t *testing.T) {
	s := newScene(t, goodTemplate)
	found := s.run()
	for _, f := range found {
		switch {
		case f.Thing == "TLS":
			assert.Equal(t, check.Warn, f.Status, "the simulated cloud speaks http")
		case f.Check == "telemetry":
			assert.Equal(t, check.Skipped, f.Status, "no group follows load")
		default:
			assert.Equal(t, check.OK, f.Status, "%+v", f)
			assert.Empty(t, f.Remedy, "%+v", f)
		}
	}
	for _, name := range check.Names() {
		assert.True(t, has(found, name[0], "", "", ""), "nothing was found by %s:\n%s", name[0], show(found))
	}
	assert.False(t, check.Failed(found))
}

func has(found []check.Finding, name string, status check.Status, thing, text string) bool {
	for _, f := range found {
		if f.Check == name && (status == "" || f.Status == status) && strings.Contains(f.Thing, thing) && strings.Contains(f.Found, text) {
			return true
		}
	}
	return false
}

// broken is one thing that is wrong, and how it shows.
type broken struct {
	name     string
	template string
	breaking func(s *scene)
	check    string
	status   check.Status
	// thing and text are in the finding that is expected.
	thing, text string
}

func worlds() []broken {
	tags := func(tags ...string) func(*scene) {
		return func(s *scene) { s.sim.SetTags(s.stack, tags...) }
	}
	fault := func(f simulator.Fault) func(*scene) {
		return func(s *scene) { s.sim.Inject(f) }
	}
	args := func(more ...string) func(*scene) { return func(s *scene) { s.args(more...) } }
	quota := func(change func(*simulator.Quota)) func(*scene) {
		return func(s *scene) {
			q, _ := s.sim.GetQuota("demo")
			change(&q)
			s.sim.SetQuota("demo", q)
		}
	}
	in := func(old, new string) string { return strings.Replace(goodTemplate, old, new, 1) }
	return []broken{
		{"wrong secret", "", func(s *scene) { s.login = strings.Replace(s.login, "secret: ", "secret: x", 1) }, "credentials", check.Fail, "sign-in", "cannot sign in"},
		{"no such cloud", "", func(s *scene) { s.login = "clouds: {}" }, "credentials", check.Fail, "sign-in", "there is no cloud"},
		{"a password", "", func(s *scene) { s.login = s.sim.CloudsYAML("demo", "demo") }, "credentials", check.Warn, "application credential", "none"},
		{"an administrator", "", func(s *scene) { s.login = s.sim.CloudsYAML("admin", "admin") }, "credentials", check.Warn, "roles", "administrator"},
		{"expires soon", "", expiring(20*24*time.Hour + 10*time.Minute), "credentials", check.Warn, "expiry", "in 20 days"},
		{"expires tomorrow", "", expiring(25 * time.Hour), "credentials", check.Fail, "expiry", "in 25h"},
		{"never expires", "", expiring(0), "credentials", check.Warn, "expiry", "never"},
		{"not encrypted", "", func(*scene) {}, "credentials", check.Warn, "TLS", "not encrypted"},
		{"Glance is down", "", fault(simulator.Fault{Service: simulator.Glance, Status: 503}), "endpoints", check.Fail, "Glance", "does not answer"},
		{"Heat hangs up", "", fault(simulator.Fault{Service: simulator.Heat, Path: "^/$", Drop: true}), "endpoints", check.Fail, "Heat", "does not answer"},
		{"the cloud's clock is wrong", "", func(s *scene) { s.sim.FastForward(20 * time.Second) }, "clock", check.Warn, "clock", "off by"},
		{"the cloud's clock is very wrong", "", func(s *scene) { s.sim.FastForward(5 * time.Minute) }, "clock", check.Fail, "clock", "off by"},
		{"no access rules", "", withoutRules, "access", check.Warn, "access rules", "none"},
		{"a rule is missing", "", func(s *scene) {
			s.tagAndLeast(access.Needs{}, "scaled", "node-group-max-size=5", "graceful-shutdown-time=1m")
		},
			"access", check.Fail, "compute POST", "it is missing"},
		{"the missing rule is felt", "", func(s *scene) {
			s.tagAndLeast(access.Needs{}, "scaled", "node-group-max-size=5", "graceful-shutdown-time=1m")
		},
			"access", check.Fail, "shut a server down", "refused (401)"},
		{"a template can't be read", "", unreadable("/template"), "access", check.Skipped, "needs of stack workers", "its template can't be read"},
		{"files can't be read", "", unreadable("/files"), "access", check.Skipped, "needs of stack workers", "its template can't be read"},
		{"no stacks can be read", "", unreadable(`/stacks\?`), "access", check.Skipped, "needs of the node groups", "could not be read"},
		{"nor can endpoints be told", "", unreadable("/template"), "endpoints", check.Skipped, "needs of stack workers", "its template can't be read"},
		{"a template with volumes", in("metadata: {", "metadata: {volume_id: none, "), nil, "endpoints", check.Fail, "Cinder", "stacks use volumes"},
		{"Heat is elsewhere", "", fault(simulator.Fault{Service: simulator.Heat, Status: 404}), "access", check.Fail, "list stacks", "not found (404)"},
		{"Heat is elsewhere, it seems", "", fault(simulator.Fault{Service: simulator.Heat, Status: 404}), "access", check.Skipped, "update a stack", "not where the catalog says"},
		{"Heat's path is wrong", "", fault(simulator.Fault{Service: simulator.Heat, Status: 404}), "endpoints", check.Warn, "Heat", "HTTP 404"},
		{"Heat wants a token first", "", fault(simulator.Fault{Service: simulator.Heat, Path: "^/$", Status: 401}), "endpoints", check.OK, "Heat", "version not told"},
		{"Heat's path is wrong for stacks", "", fault(simulator.Fault{Service: simulator.Heat, Status: 404}), "stacks", check.Fail, "stacks", "could not be read"},
		{"may not update", "", fault(simulator.Fault{Service: simulator.Heat, Method: "PATCH", Status: 403, Body: `{"error":{"message":"You are not authorized"}}`}),
			"access", check.Fail, "update a stack", "refused (403): You are not authorized"},
		{"quota is short", "", quota(func(q *simulator.Quota) { q.Instances = 4 }), "quotas", check.Warn, "instances", "2 of 4 are left"},
		{"quota is used up", "", quota(func(q *simulator.Quota) { q.Cores = 2 }), "quotas", check.Fail, "cores", "no node group can grow"},
		{"memory is used up", "", quota(func(q *simulator.Quota) { q.RAMMiB = 5000 }), "quotas", check.Fail, "RAM", "no node group can grow"},
		{"quota is not told", "", fault(simulator.Fault{Service: simulator.Neutron, Path: "quotas", Status: 403}), "quotas", check.Skipped, "Neutron", "can't be read"},
		{"server group is filling up", "", func(s *scene) { s.serverGroup(8) }, "quotas", check.Warn, "server group spread", "8 of 10, and node group workers may grow by 3"},
		{"server group is full, of a group of stacks", "", func(s *scene) {
			s.shard()
			s.serverGroup(10)
		}, "quotas", check.Warn, "server group spread", "10 of 10: the stack"},
		{"server group has room, of a group of stacks", "", func(s *scene) {
			s.shard()
			s.serverGroup(9)
		}, "quotas", check.OK, "server group spread", "9 of 10"},
		{"stack too small for the group", "", tags("scaled", "node-group-max-size=2000"), "quotas", check.Warn, "resources per stack", "can have 900 members"},
		{"no stack", "", tags("other"), "stacks", check.Fail, "node groups", "no stack of project demo"},
		{"no maximum", "", tags("scaled"), "stacks", check.Fail, "workers", "MissingLimit"},
		{"misspelt annotation", "", tags("scaled", "node-group-max-sice=5"), "stacks", check.Fail, "workers", "node-group-max-sice"},
		{"bad value", "", tags("scaled", "node-group-max-size=many"), "stacks", check.Fail, "workers", "many"},
		{"misspelt tag", "", tags("scalde", "node-group-max-size=5"), "stacks", check.Warn, "workers", "MisspeltTag"},
		{"no removal list", in("removal_policies: [{resource_list: {get_param: nodes_to_remove}}]", "removal_policies: []"), nil, "stacks", check.Fail, "workers", "UnsafeTemplate"},
		{"no size parameter", strings.ReplaceAll(goodTemplate, "node_count", "how_many"), nil, "stacks", check.Fail, "workers", "MissingParameter"},
		{"rebuilds on a new token", in("IGNORE", "REPLACE"), nil, "stacks", check.Fail, "workers", "UnsafeBootstrap"},
		{"token not hidden", in("hidden: true, ", ""), nil, "stacks", check.Fail, "workers", "UnsafeBootstrap"},
		{"annotations are hidden", in("parameters:\n", "parameters:\n  node_group_annotations: {type: json, hidden: true, default: {}}\n"), nil, "stacks", check.Fail, "workers", "node_group_annotations"},
		{"Heat is down", "", fault(simulator.Fault{Service: simulator.Heat, Status: 503}), "stacks", check.Fail, "stacks", "could not be read"},
		{"image is gone", in("default: node-image, constraints: [{custom_constraint: glance.image}]", "default: old-image"), nil, "references", check.Fail, "parameter image", `image "old-image" does not exist`},
		{"network is gone", in("network: {type: string, default: nodes}", "network: {type: string, default: old}"), nil, "references", check.Fail, "parameter network", "does not exist"},
		{"flavor is gone", in("default: m1.small, constraints: [{custom_constraint: nova.flavor}]", "default: m9.gone"), nil, "references", check.Fail, "parameter flavor", "does not exist"},
		{"another flavor is there", in("  network: {", secondFlavor("m1.large")), nil, "references", check.OK, "stack workers", "flavor m1.large"},
		{"flavors are not told", "", fault(simulator.Fault{Service: simulator.Nova, Path: "flavors", Status: 403}), "references", check.Skipped, "flavor m1.small", "can't be looked up"},
		{"flavors of nobody", "", fault(simulator.Fault{Service: simulator.Nova, Path: "flavors", Status: 403}), "quotas", check.Skipped, "cores", "no flavor is known of node group workers"},
		{"key pair of somebody else", in("key_name: {type: string, default: ''}", "key_name: {type: string, default: mine}"), nil, "references", check.Fail, "key_name", "belong to users"},
		{"telemetry knows nothing", "", func(s *scene) {
			s.tagAndLeast(access.Needs{Gnocchi: true}, "scaled", "node-group-max-size=5", "load-metric=cpu")
		},
			"telemetry", check.Warn, "cpu from gnocchi", "no points"},
		{"telemetry is refused", "", func(s *scene) { s.tagAndLeast(access.Needs{}, "scaled", "node-group-max-size=5", "load-metric=cpu") },
			"telemetry", check.Fail, "cpu from gnocchi", "requires authentication"},
		{"unknown metric", "", tags("scaled", "node-group-max-size=5", "load-metric=cup"), "telemetry", check.Fail, "workers", "cup"},
		{"no provider id", "", func(s *scene) {
			s.nodes[0].Status.NodeInfo.SystemUUID = strings.TrimPrefix(s.nodes[0].Spec.ProviderID, "openstack:///")
			s.nodes[0].Spec.ProviderID = ""
		}, "nodes", check.Fail, "provider ids", "have none"},
		{"two forms", "", func(s *scene) {
			s.nodes[0].Spec.ProviderID = strings.Replace(s.nodes[0].Spec.ProviderID, "///", "//RegionOne/", 1)
		}, "nodes", check.Warn, "provider ids", "1 as openstack:///ID, 1 as openstack://RegionOne/ID"},
		{"one machine, two nodes", "", func(s *scene) { s.nodes = append(s.nodes, s.node("twin", s.nodes[0].Spec.ProviderID)) }, "nodes", check.Fail, "workers", "several nodes"},
		{"control plane in a group", "", func(s *scene) { s.nodes[0].Labels["node-role.kubernetes.io/control-plane"] = "" }, "nodes", check.Warn, "control plane", "members of a node group"},
		{"never joined", "", func(s *scene) { s.nodes, s.world.Clock = s.nodes[1:], later(time.Hour) }, "nodes", check.Warn, "workers", "run and are no nodes"},
		{"less memory", "", func(s *scene) { s.nodes[0].Status.Allocatable[v1.ResourceMemory] = resource.MustParse("1Gi") }, "template", check.Warn, "memory", "less"},
		{"another label", "", func(s *scene) { s.nodes[0].Labels["topology.kubernetes.io/zone"] = "elsewhere" }, "template", check.Warn, "zone", "elsewhere"},
		{"a right is missing", "", deny(func(r *authorization.ResourceAttributes) bool {
			return r.Resource == "pods" && r.Subresource == "eviction"
		}),
			"permissions", check.Fail, "cluster-autoscaler-openstack", "create pods/eviction"},
		{"no right to tokens", "", deny(func(r *authorization.ResourceAttributes) bool { return r.Resource == "secrets" }),
			"permissions", check.Fail, "cluster-autoscaler-openstack", "create secrets in kube-system, which is needed for node groups whose bootstrap tokens are minted"},
		{"no right to approve", "", deny(func(r *authorization.ResourceAttributes) bool { return r.Resource == "signers" }),
			"permissions", check.Fail, "cluster-autoscaler-openstack", "approve signers.certificates.k8s.io"},
		{"machines may not ask", "", deny(func(r *authorization.ResourceAttributes) bool {
			return r.Verb == "create" && r.Resource == "certificatesigningrequests"
		}),
			"permissions", check.Fail, "system:bootstrappers:", "can't join"},
		{"blanket approval", "", func(s *scene) { s.blind = true }, "approval", check.Warn, "kube-controller-manager", "without proof"},
		{"nobody approves", "", args("--approve-node-certificates=false"), "approval", check.Warn, "--approve-node-certificates", "wait for somebody"},
		{"no Deployment", "", func(s *scene) { s.deployment = nil }, "permissions", check.Skipped, "service account", "no Deployment"},
		{"a selector that picks no Deployment", "", func(s *scene) { s.world.Setup.Selector = "team=blue" }, "permissions", check.Skipped, "service account", "no Deployment"},
		{"no replica is ready", "", func(s *scene) { s.deployment.Status.ReadyReplicas = 0 }, "autoscaler", check.Fail, "Deployment", "none of 2"},
		{"no lease", "", func(s *scene) { s.lease = nil }, "autoscaler", check.Fail, "lease", "not there"},
		{"nobody leads", "", func(s *scene) { s.lease.Spec.RenewTime = &metav1.MicroTime{Time: time.Now().Add(-time.Hour)} }, "autoscaler", check.Fail, "lease", "nobody has taken over"},
		{"two leaders", "", args("--leader-elect=false"), "autoscaler", check.Fail, "lease", "without leader election"},
		{"no status", "", func(s *scene) { s.status = nil }, "autoscaler", check.Fail, "status", "not there"},
		{"old status", "", func(s *scene) {
			s.status.Data["status"] = coreStatus(time.Now().Add(-time.Hour), "Running", "clusterWide: {health: {status: Healthy}}")
		}, "autoscaler", check.Fail, "status", "last written 1h"},
		{"a status of no known form", "", func(s *scene) { s.status.Data["status"] = "all is well" }, "autoscaler", check.Skipped, "status", "form that is not known"},
		{"a status without the cluster's health", "", func(s *scene) { s.status.Data["status"] = coreStatus(time.Now(), "Running", "") }, "autoscaler", check.Skipped, "status", "does not say"},
		{"just started", "", func(s *scene) { s.status.Data["status"] = coreStatus(time.Now(), "Initializing", "") }, "autoscaler", check.OK, "status", "just been started"},
		{"status of 1.25 to 1.29", "", func(s *scene) {
			s.status.Data["status"] = fmt.Sprintf("Cluster-autoscaler status at %s:\nCluster-wide:\n  Health:      Healthy (ready=4 unready=1 notStarted=0 longNotStarted=0 registered=5 longUnregistered=0)\n", time.Now().UTC())
		}, "autoscaler", check.OK, "status", "Healthy"},
		{"a status that nobody writes", "", func(s *scene) {
			s.args("--write-status-configmap=false")
			s.status = nil
		}, "autoscaler", check.Skipped, "status", "switched off"},
		{"a lease of another name", "", func(s *scene) {
			s.args("--leader-elect-resource-name=south")
			s.lease.Name = "south"
		}, "autoscaler", check.OK, "lease kube-system/south", "pod-1 leads"},
		{"a status of another name", "", func(s *scene) {
			s.args("--status-config-map-name=south")
			s.status.Name = "south"
		}, "autoscaler", check.OK, "status kube-system/south", "runs"},
		{"another namespace", "", func(s *scene) {
			s.args("--namespace=south")
			s.lease.Namespace, s.status.Namespace = "south", "south"
		}, "autoscaler", check.OK, "status south/cluster-autoscaler-status", "runs"},
		{"the default namespace", "", func(s *scene) { s.deployment.Namespace, s.world.Setup.Namespace = "north", "north" },
			"autoscaler", check.OK, "lease kube-system/cluster-autoscaler", "pod-1 leads"},
		{"the pod's own namespace", "", func(s *scene) {
			s.args("--namespace=$(POD_NAMESPACE)")
			s.deployment.Namespace, s.lease.Namespace, s.status.Namespace, s.world.Setup.Namespace = "north", "north", "north", "north"
		}, "autoscaler", check.OK, "lease north/cluster-autoscaler", "pod-1 leads"},
		{"rights to a lease of another name", "", func(s *scene) {
			s.args("--leader-elect-resource-name=south", "--namespace=south")
			deny(func(r *authorization.ResourceAttributes) bool { return r.Resource == "leases" && r.Name == "south" })(s)
		}, "permissions", check.Fail, "cluster-autoscaler-openstack", "leases.coordination.k8s.io south in south"},
		{"unhealthy", "", func(s *scene) {
			s.status.Data["status"] = coreStatus(time.Now(), "Running", "clusterWide: {health: {status: Unhealthy, nodeCounts: {registered: {total: 5, ready: 2}}}}")
		}, "autoscaler", check.Fail, "status", "Unhealthy: 2 of 5"},
		{"old cluster", "", func(s *scene) { s.version = "v1.29.1" }, "autoscaler", check.Warn, "version", "v1.29.1"},
		{"floors without effect", "", func(s *scene) {
			s.args("--enforce-node-group-min-size=false")
			s.sim.SetTags(s.stack, "scaled", "node-group-max-size=5", "load-metric=cpu")
		}, "autoscaler", check.Fail, "--enforce-node-group-min-size", "follows load"},
		{"no scale-down", "", args("--scale-down-enabled=false"), "autoscaler", check.Warn, "--scale-down-enabled", "no node is ever removed"},
		{"restless", "", args("--scan-interval=1s"), "autoscaler", check.Warn, "--scan-interval", "1s"},
		{"impatient", "", args("--max-node-provision-time", "1m"), "autoscaler", check.Warn, "--max-node-provision-time", "1m"},
		{"dry run", "", args("--dry-run"), "autoscaler", check.Warn, "--dry-run", "changes nothing"},
		{"too few nodes in all", "", args("--max-nodes-total=3"), "autoscaler", check.Warn, "--max-nodes-total", "greatest sizes"},
		{"no priorities", "", args("--expander=priority"), "autoscaler", check.Warn, "--expander", "at random"},
		{"stock without minimum", "", stock, "autoscaler", check.Warn, "--enforce-node-group-min-size", "not set"},
		{"stock of another version", "", stock, "autoscaler", check.Warn, "version", "v1.31.0"},
	}
}

func TestEachCheckFailsForItsCause(t *testing.T) {
	for _, b := range worlds() {
		t.Run(b.name, func(t *testing.T) {
			template := b.template
			if template == "" {
				template = goodTemplate
			}
			s := newScene(t, template)
			if b.breaking != nil {
				b.breaking(s)
			}
			found := s.run(b.check)
			require.True(t, has(found, b.check, b.status, b.thing, b.text), "wanted %s about %q with %q, found:\n%s", b.status, b.thing, b.text, show(found))
			for _, f := range found {
				if f.Status == check.Fail || f.Status == check.Warn {
					assert.NotEmpty(t, f.Remedy, "%+v", f)
				}
				assert.NotContains(t, f.Found, "bbbbbbbbbbbbbbbb")
			}
		})
	}
}

// What was not looked at is not all right.
func TestAccessIsNotWellIfNeedsAreUnknown(t *testing.T) {
	for _, path := range []string{"/template", "/files", `/stacks\?`} {
		s := newScene(t, goodTemplate)
		unreadable(path)(s)
		found := s.run("access")
		assert.False(t, has(found, "access", check.OK, "access rules", ""), "%s: %s", path, show(found))
	}
}
