package installed

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/utils/ptr"
)

const (
	ownImage   = "registry.example.org/cluster-autoscaler-openstack:1"
	otherImage = "mirror.example.org/autoscaler:1"
	stockTag   = "registry.k8s.io/autoscaling/cluster-autoscaler:v1.31.0"
)

// thing is what is in the cluster: its pods, and the Deployment that made them.
type thing struct {
	name       string
	labels     map[string]string
	containers []v1.Container
	replicas   *int32
}

func container(image string, words ...string) v1.Container {
	return v1.Container{Image: image, Args: words}
}

var (
	tags      = "--node-group-auto-discovery=heat:tag=scaled"
	named     = "--nodes=1:5:workers"
	embedded  = container(ownImage, tags, "--scan-interval=30s")
	provider  = container(ownImage, tags)
	stock     = container(stockTag, "--cloud-provider=externalgrpc", "--scan-interval=20s")
	network   = container(ownImage, tags, "--grpc-address=:8086")
	tool      = container(ownImage, "nodegroups", "check", tags)
	stranger  = container("registry.example.org/web", "--nodes=3")
	chart     = map[string]string{"app.kubernetes.io/name": "cluster-autoscaler-openstack", "app.kubernetes.io/component": "autoscaler"}
	chartTest = map[string]string{"app.kubernetes.io/name": "cluster-autoscaler-openstack", "app.kubernetes.io/component": "check"}
	manifest  = map[string]string{"app": "cluster-autoscaler-openstack"}
)

// cases are clusters, and what both ways of finding must say of them.
var cases = map[string]struct {
	where  Where
	things []thing
	// finds are the names, in order; scan is the loop's --scan-interval, image the loop's.
	finds []string
	scan  string
	image string
	// external: a stock one.
	external bool
}{
	"nothing":                 {},
	"a stranger":              {things: []thing{{name: "web", containers: []v1.Container{stranger}}}},
	"embedded, by flags":      {things: []thing{{name: "own-name", containers: []v1.Container{embedded}}}, finds: []string{"own-name"}, scan: "30s", image: ownImage},
	"embedded, another image": {things: []thing{{name: "a", containers: []v1.Container{container(otherImage, tags)}}}, finds: []string{"a"}, image: otherImage},
	"named stacks, own image": {things: []thing{{name: "a", containers: []v1.Container{container(ownImage, named)}}}, finds: []string{"a"}, image: ownImage},
	"named stacks, chart":     {things: []thing{{name: "a", labels: chart, containers: []v1.Container{container(otherImage, named)}}}, finds: []string{"a"}, image: otherImage},
	"named stacks, behind a sidecar": {
		things: []thing{{name: "a", labels: chart, containers: []v1.Container{container("proxy"), container(otherImage, named)}}}, finds: []string{"a"}, image: otherImage,
	},
	"named stacks of another":     {things: []thing{{name: "a", containers: []v1.Container{container(otherImage, named)}}}},
	"flags in a script, manifest": {things: []thing{{name: "a", labels: manifest, containers: []v1.Container{container(ownImage)}}}, finds: []string{"a"}, image: ownImage},
	"flags in a script, own name": {things: []thing{{name: "a", containers: []v1.Container{container(ownImage)}}}},
	"external, one pod": {
		things: []thing{{name: "a", labels: chart, containers: []v1.Container{stock, provider}}},
		finds:  []string{"a"}, scan: "20s", image: stockTag, external: true,
	},
	"external, one pod, by flags": {
		things: []thing{{name: "a", containers: []v1.Container{provider, stock}}}, finds: []string{"a"}, scan: "20s", image: stockTag, external: true,
	},
	"external, two Deployments": {
		things: []thing{{name: "a-stock", containers: []v1.Container{stock}}, {name: "node-groups", labels: manifest, containers: []v1.Container{network}}},
		finds:  []string{"node-groups"}, scan: "20s", image: stockTag, external: true,
	},
	"external, two Deployments, by flags": {
		things: []thing{{name: "a-stock", containers: []v1.Container{stock}}, {name: "node-groups", containers: []v1.Container{network}}},
		finds:  []string{"node-groups"}, scan: "20s", image: stockTag, external: true,
	},
	"whose stock one is not known": {
		things: []thing{
			{name: "a-stock", containers: []v1.Container{stock}}, {name: "b-stock", containers: []v1.Container{stock}},
			{name: "node-groups", labels: manifest, containers: []v1.Container{network}},
		},
		finds: []string{"node-groups"}, image: ownImage,
	},
	"embedded beside another's stock one": {
		things: []thing{{name: "a", containers: []v1.Container{stock}}, {name: "b", containers: []v1.Container{embedded}}},
		finds:  []string{"b"}, scan: "30s", image: ownImage,
	},
	"the chart's other pods": {
		things: []thing{
			{name: "a", labels: chart, containers: []v1.Container{embedded}}, {name: "a-check", labels: chartTest, containers: []v1.Container{tool}},
			{name: "a-descheduler", labels: map[string]string{"app.kubernetes.io/name": "cluster-autoscaler-openstack", "app.kubernetes.io/component": "descheduler"}},
		},
		finds: []string{"a"}, scan: "30s", image: ownImage,
	},
	"only the tool":               {things: []thing{{name: "a", containers: []v1.Container{tool}}}},
	"the tool, labelled":          {things: []thing{{name: "a", labels: manifest, containers: []v1.Container{tool}}}},
	"a component of another kind": {things: []thing{{name: "a", labels: chartTest, containers: []v1.Container{embedded}}}},
	"by a selector": {
		where:  Where{Selector: "team=blue"},
		things: []thing{{name: "a", labels: chart, containers: []v1.Container{embedded}}, {name: "b", labels: map[string]string{"team": "blue"}, containers: []v1.Container{provider}}},
		finds:  []string{"b"}, image: ownImage,
	},
	"by a selector that finds nothing": {where: Where{Selector: "team=blue"}, things: []thing{{name: "a", labels: chart, containers: []v1.Container{embedded}}}},
}

func (c thing) pod() *v1.Pod {
	owner := metav1.OwnerReference{APIVersion: "apps/v1", Kind: "ReplicaSet", Name: c.name, Controller: ptr.To(true)}
	return &v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: c.name, Labels: c.labels, OwnerReferences: []metav1.OwnerReference{owner}},
		Spec:       v1.PodSpec{Containers: c.containers}, Status: v1.PodStatus{Phase: v1.PodRunning},
	}
}

func (c thing) deployment() *appsv1.Deployment {
	return &appsv1.Deployment{
		ObjectMeta: metav1.ObjectMeta{Namespace: "ns", Name: c.name},
		Spec: appsv1.DeploymentSpec{Replicas: c.replicas, Template: v1.PodTemplateSpec{
			ObjectMeta: metav1.ObjectMeta{Labels: c.labels}, Spec: v1.PodSpec{Containers: c.containers},
		}},
		Status: appsv1.DeploymentStatus{ReadyReplicas: 1},
	}
}

func TestDeployments(t *testing.T) {
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var objects []runtime.Object
			for _, d := range c.things {
				objects = append(objects, d.deployment())
			}
			c.where.Namespace = "ns"
			found, err := Deployments(t.Context(), fake.NewClientset(objects...), c.where)
			require.NoError(t, err)
			var names []string
			for _, d := range found {
				names = append(names, d.Name)
			}
			require.Equal(t, c.finds, names)
			if len(found) == 0 {
				return
			}
			assert.Equal(t, c.scan, found[0].Core.Last("scan-interval"))
			assert.Equal(t, c.image, found[0].Image)
			assert.Equal(t, c.external, found[0].External)
			assert.Equal(t, "default", found[0].ServiceAccount)
			assert.Equal(t, []int32{1, 1}, []int32{found[0].Wanted, found[0].Ready})
		})
	}
}

func TestPods(t *testing.T) {
	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			var objects []runtime.Object
			for _, d := range c.things {
				objects = append(objects, d.pod())
			}
			c.where.Namespace = "ns"
			found, err := Pods(t.Context(), fake.NewClientset(objects...), c.where)
			require.NoError(t, err)
			var names []string
			for i := range found.Pods {
				names = append(names, found.Pods[i].Name)
			}
			require.Equal(t, c.finds, names)
			assert.Equal(t, c.scan, found.Flags.Last("scan-interval"))
			minor, known := found.StockMinor()
			assert.Equal(t, c.external, known)
			if known {
				assert.Equal(t, 31, minor)
			}
		})
	}
}

// Of several, the one that names node groups and runs is meant.
func TestSeveralDeployments(t *testing.T) {
	off := ptr.To(int32(0))
	var objects []runtime.Object
	for _, d := range []thing{
		{name: "a", labels: manifest, containers: []v1.Container{container(ownImage)}},
		{name: "b", containers: []v1.Container{embedded}, replicas: off},
		{name: "c", containers: []v1.Container{embedded}},
		{name: "d", containers: []v1.Container{embedded}},
	} {
		objects = append(objects, d.deployment())
	}
	found, err := Deployments(t.Context(), fake.NewClientset(objects...), Where{Namespace: "ns"})
	require.NoError(t, err)
	var names []string
	for _, d := range found {
		names = append(names, d.Name)
	}
	require.Equal(t, []string{"c", "d", "b", "a"}, names)
}

// The first replica speaks for all; pods that end or do not run say nothing.
func TestPodsThatRun(t *testing.T) {
	first, second := thing{name: "a", labels: chart, containers: []v1.Container{embedded}}.pod(), thing{name: "b", labels: chart, containers: []v1.Container{embedded}}.pod()
	ending, pending := first.DeepCopy(), first.DeepCopy()
	ending.Name, ending.DeletionTimestamp, ending.Finalizers = "0", ptr.To(metav1.Now()), []string{"x/y"}
	pending.Name, pending.Status.Phase = "1", v1.PodPending
	found, err := Pods(t.Context(), fake.NewClientset(first, second, ending, pending), Where{Namespace: "ns"})
	require.NoError(t, err)
	require.Len(t, found.Pods, 2)
	require.Equal(t, []string{"30s"}, found.Flags["scan-interval"])
	found, err = Pods(t.Context(), fake.NewClientset(first), Where{Namespace: "other"})
	require.NoError(t, err)
	require.Empty(t, found.Pods)
}

// Two replicas of a stock one are one; those of two are not told apart.
func TestReplicasOfAStockOne(t *testing.T) {
	one, two := thing{name: "a", containers: []v1.Container{stock}}.pod(), thing{name: "b", containers: []v1.Container{stock}}.pod()
	two.OwnerReferences = one.OwnerReferences
	server := thing{name: "s", labels: manifest, containers: []v1.Container{network}}.pod()
	found, err := Pods(t.Context(), fake.NewClientset(one, two, server), Where{Namespace: "ns"})
	require.NoError(t, err)
	require.Equal(t, "20s", found.Flags.Last("scan-interval"))
}

func TestASelectorThatIsNone(t *testing.T) {
	d := thing{name: "a", containers: []v1.Container{embedded}}.deployment()
	_, err := Deployments(t.Context(), fake.NewClientset(d), Where{Namespace: "ns", Selector: "a in"})
	require.Error(t, err)
}

func TestPlain(t *testing.T) {
	f := ParseFlags([]string{"--namespace=$(POD_NAMESPACE)", "--name=a"})
	require.Empty(t, f.Plain("namespace"))
	require.Equal(t, "a", f.Plain("name"))
}

func TestProgramsOfTheTool(t *testing.T) {
	for _, c := range []v1.Container{
		{Command: []string{"/cluster-autoscaler-openstack", "nodegroups", "check"}}, {Command: []string{"/cluster-autoscaler-openstack"}, Args: []string{"nodegroups"}},
		{Args: []string{"nodegroups"}}, {Command: []string{"/usr/bin/kubectl-openstack_nodegroups"}},
	} {
		require.True(t, runsTool(&c), c)
	}
	for _, c := range []v1.Container{{}, {Command: []string{"/cluster-autoscaler-openstack", "--a"}}, {Args: []string{"--namespace", "nodegroups"}}} {
		require.False(t, runsTool(&c), c)
	}
}
