package check_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	authorization "k8s.io/api/authorization/v1"
	coordination "k8s.io/api/coordination/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/version"
	fakediscovery "k8s.io/client-go/discovery/fake"
	"k8s.io/client-go/kubernetes/fake"
	k8stesting "k8s.io/client-go/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/heatstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/access"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/check"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// scene is a cloud and a cluster in good order, until a test breaks something in them.
type scene struct {
	*testing.T
	sim   *simulator.Simulator
	stack string
	// login is the clouds.yaml to sign in with, in the end.
	login string
	nodes []*v1.Node
	// deployment, lease, status and denied make the cluster: denied says which rights nobody has.
	deployment *appsv1.Deployment
	lease      *coordination.Lease
	status     *v1.ConfigMap
	denied     func(*authorization.SubjectAccessReviewSpec) bool
	blind      bool
	version    string
	world      check.World
}

const goodTemplate = `heat_template_version: 2018-08-31
parameters:
  node_count: {type: number, default: 2}
  nodes_to_remove: {type: comma_delimited_list, default: []}
  flavor: {type: string, default: m1.small, constraints: [{custom_constraint: nova.flavor}]}
  image: {type: string, default: node-image, constraints: [{custom_constraint: glance.image}]}
  network: {type: string, default: nodes}
  key_name: {type: string, default: ''}
  bootstrap_token_source: {type: string, default: minted}
  bootstrap_token: {type: string, hidden: true, default: ''}
resources:
  nodes:
    type: OS::Heat::ResourceGroup
    properties:
      count: {get_param: node_count}
      removal_policies: [{resource_list: {get_param: nodes_to_remove}}]
      resource_def:
        type: OS::Nova::Server
        properties:
          name: workers-%index%
          image: node-image
          flavor: m1.small
          networks: [{network: nodes}]
          metadata: {metering.stack: {get_param: 'OS::stack_id'}, metering.server_group: workers, node_index: '%index%'}
          user_data_format: RAW
          user_data_update_policy: IGNORE
          user_data: {str_replace: {template: 't=$T', params: {$T: {get_param: bootstrap_token}}}}
`

// goodTags are those of the stack in good order.
var goodTags = []string{"scaled", "node-group-max-size=5"}

func newScene(t *testing.T, template string) *scene {
	t.Helper()
	s := &scene{T: t, sim: simulator.New(simulator.Options{PatchTime: -1, Timing: &simulator.Timing{}}), version: "v1.33.4"}
	require.NoError(t, s.sim.Start("127.0.0.1:0"))
	t.Cleanup(s.sim.Close)
	var err error
	s.stack, err = s.sim.CreateStack("demo", simulator.StackSpec{Name: "workers", Template: template, Tags: goodTags})
	require.NoError(t, err)
	s.settle()
	s.useLeast(access.Needs{})
	s.goodCluster()
	return s
}

// settle lets the cloud do all that it has begun.
func (s *scene) settle() {
	for range 1000 {
		wait, ok := s.sim.NextEvent()
		if !ok {
			break
		}
		s.sim.FastForward(max(wait, time.Millisecond))
	}
}

// useLeast makes a least credential and signs in with it.
func (s *scene) useLeast(needs access.Needs) {
	s.Helper()
	session := s.signIn(s.sim.CloudsYAML("demo", "demo"), "simulator")
	made, err := access.Create(s.Context(), session, access.Wish{Name: "least", Expires: s.sim.Now().Add(90 * 24 * time.Hour), Needs: needs})
	require.NoError(s, err)
	document, err := made.CloudsYAML()
	require.NoError(s, err)
	s.login = string(document)
}

func (s *scene) signIn(document, cloud string) *openstack.Session {
	s.Helper()
	s.Setenv("OS_CLIENT_CONFIG_FILE", s.file(document))
	session, err := openstack.NewSession(s.Context(), openstack.Options{Cloud: cloud, Rate: -1})
	require.NoError(s, err)
	return session
}

func (s *scene) file(content string) string {
	path := filepath.Join(s.TempDir(), "clouds.yaml")
	require.NoError(s, os.WriteFile(path, []byte(content), 0o600))
	return path
}

// goodCluster fills the cluster: a node for each server, the autoscaler's Deployment, its lease and its status.
func (s *scene) goodCluster() {
	for _, server := range s.sim.Servers() {
		s.nodes = append(s.nodes, s.node(server.Name, "openstack:///"+server.ID))
	}
	s.nodes = append(s.nodes, &v1.Node{ObjectMeta: metav1.ObjectMeta{Name: "control-plane"}, Spec: v1.NodeSpec{ProviderID: "openstack:///0e4e4d5c-0000-4000-8000-000000000001"}})
	replicas := int32(2)
	s.deployment = &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "cluster-autoscaler-openstack"},
		Spec: appsv1.DeploymentSpec{Replicas: &replicas, Template: v1.PodTemplateSpec{Spec: v1.PodSpec{
			ServiceAccountName: "cluster-autoscaler-openstack",
			Containers: []v1.Container{{Image: "registry.example.org/cluster-autoscaler-openstack:1", Args: []string{
				"--node-group-auto-discovery=heat:tag=scaled", "--cloud-config=/etc/openstack/cloud.conf"}}},
		}}},
		Status: appsv1.DeploymentStatus{ReadyReplicas: 2},
	}
	holder, seconds := "pod-1", int32(15)
	s.lease = &coordination.Lease{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "cluster-autoscaler"},
		Spec:       coordination.LeaseSpec{HolderIdentity: &holder, LeaseDurationSeconds: &seconds, RenewTime: &metav1.MicroTime{Time: time.Now()}},
	}
	s.status = &v1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Namespace: "kube-system", Name: "cluster-autoscaler-status"},
		Data:       map[string]string{"status": coreStatus(time.Now(), "Running", "clusterWide: {health: {status: Healthy}}")},
	}
}

// coreStatus is what cluster-autoscaler writes of itself at a time.
func coreStatus(at time.Time, word, more string) string {
	return fmt.Sprintf("time: %s\nautoscalerStatus: %s\n%s\n", at.UTC(), word, more)
}

// node is what a machine of flavor m1.small becomes.
func (s *scene) node(name, providerID string) *v1.Node {
	template, err := nodegroups.TemplateNode(&nodegroups.Group{
		Name: "workers", Flavor: &nodegroups.Flavor{Name: "m1.small", VCPUs: 1, RAMMiB: 2048, DiskGiB: 20}, Region: "RegionOne", Zone: "nova",
	}, nodegroups.TemplateOptions{MemoryOverheadPercent: nodegroups.DefaultMemoryOverheadPercent})
	require.NoError(s, err)
	template.Name, template.Spec.ProviderID = name, providerID
	return template
}

func (s *scene) args(more ...string) {
	c := &s.deployment.Spec.Template.Spec.Containers[0]
	c.Args = append(c.Args, more...)
}

// run reads the world as it is now and checks it.
func (s *scene) run(names ...string) []check.Finding {
	s.Helper()
	w := s.world
	w.Timeout = 10 * time.Second
	w.Setup.Core, w.Setup.Wanted = "1.33.0", "heat:tag=scaled"
	w.Setup.Template = nodegroups.TemplateOptions{MemoryOverheadPercent: nodegroups.DefaultMemoryOverheadPercent}
	s.Setenv("OS_CLIENT_CONFIG_FILE", s.file(s.login))
	cloud := "openstack"
	if strings.Contains(s.login, "simulator:") {
		cloud = "simulator"
	}
	w.Session, w.SessionErr = openstack.NewSession(s.Context(), openstack.Options{Cloud: cloud, Rate: -1, RequestTimeout: 5 * time.Second})
	if w.SessionErr == nil {
		w.Heat = heatstack.NewHeat(w.Session)
		stacks := heatstack.New(w.Heat, heatstack.NewNova(w.Session), heatstack.Options{
			Discovery: []heatstack.Discovery{{Tags: []string{"scaled"}}}, DryRun: true, Region: w.Session.Region(),
		})
		defer stacks.Close()
		manager := nodegroups.NewManager(stacks, nil, nodegroups.ManagerOptions{})
		if w.SnapshotErr = manager.Refresh(s.Context()); w.SnapshotErr == nil {
			w.Snapshot = manager.Snapshot()
		}
	} else {
		w.Session = nil
	}
	w.Kubernetes = s.kubernetes()
	found, err := check.Run(s.Context(), w, names...)
	require.NoError(s, err)
	return found
}

func (s *scene) kubernetes() *fake.Clientset {
	var objects []runtime.Object
	for _, n := range s.nodes {
		objects = append(objects, n)
	}
	if s.deployment != nil {
		objects = append(objects, s.deployment)
	}
	if s.lease != nil {
		objects = append(objects, s.lease)
	}
	if s.status != nil {
		objects = append(objects, s.status)
	}
	client := fake.NewClientset(objects...)
	client.Discovery().(*fakediscovery.FakeDiscovery).FakedServerVersion = &version.Info{GitVersion: s.version}
	client.PrependReactor("create", "subjectaccessreviews", func(action k8stesting.Action) (bool, runtime.Object, error) {
		review := action.(k8stesting.CreateAction).GetObject().(*authorization.SubjectAccessReview).DeepCopy()
		if review.Spec.ResourceAttributes.Subresource == "nodeclient" {
			review.Status = authorization.SubjectAccessReviewStatus{Allowed: s.blind, Reason: "a ClusterRoleBinding"}
			return true, review, nil
		}
		review.Status.Allowed = s.denied == nil || !s.denied(&review.Spec)
		return true, review, nil
	})
	return client
}

func show(found []check.Finding) string {
	var b strings.Builder
	for _, f := range found {
		fmt.Fprintf(&b, "%-12s %-7s %s: %s [%s]\n", f.Check, f.Status, f.Thing, f.Found, f.Remedy)
	}
	return b.String()
}
