package sight

import (
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime/schema"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	testingclock "k8s.io/utils/clock/testing"
	"k8s.io/utils/ptr"

	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
)

var now = time.Date(2026, 11, 26, 3, 0, 0, 0, time.UTC)

const serverID = "11111111-2222-4333-8444-555555555555"

// apiServer is an API server that has what a path leads to, and nothing else.
type apiServer struct {
	t *testing.T
	// objects are by path; a string is sent as it is, an error as its status.
	objects map[string]any
}

func (a *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	path := r.URL.Path
	if selector := r.URL.Query().Get("labelSelector"); selector != "" {
		path += "?" + selector
	}
	object, ok := a.objects[path]
	if !ok {
		object = apierrors.NewNotFound(schema.GroupResource{}, path)
	}
	w.Header().Set("Content-Type", "application/json")
	switch object := object.(type) {
	case string:
		_, _ = w.Write([]byte(object))
	case *apierrors.StatusError:
		w.WriteHeader(int(object.ErrStatus.Code))
		_ = json.NewEncoder(w).Encode(object.ErrStatus)
	default:
		_ = json.NewEncoder(w).Encode(object)
	}
}

func forbidden(resource string) *apierrors.StatusError {
	return apierrors.NewForbidden(schema.GroupResource{Resource: resource}, "", nil)
}

// pod is one of the autoscaler's.
func pod(name string, arguments ...string) v1.Pod {
	return v1.Pod{
		ObjectMeta: metav1.ObjectMeta{Name: name, Namespace: "kube-system"},
		Spec:       v1.PodSpec{Containers: []v1.Container{{Name: "autoscaler", Args: arguments}}}, Status: v1.PodStatus{Phase: v1.PodRunning},
	}
}

const podsPath = "/api/v1/namespaces/kube-system/pods"

// world is a cluster with one member that is a Ready node, and an autoscaler that serves its status.
func newWorld(t *testing.T) *apiServer {
	node := v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: "n0"}, Spec: v1.NodeSpec{ProviderID: "openstack:///" + serverID},
		Status: v1.NodeStatus{Conditions: []v1.NodeCondition{{Type: v1.NodeReady, Status: v1.ConditionTrue}}},
	}
	configMap := v1.ConfigMap{Data: map[string]string{"status": "time: 2026-11-26 02:59:58 +0000 UTC\nautoscalerStatus: Running\nnodeGroups:\n" +
		"- {name: workers, health: {status: Healthy, minSize: 2, maxSize: 5, cloudProviderTarget: 2}, scaleUp: {status: NoActivity}, scaleDown: {status: NoCandidates}}\n"}}
	event := v1.Event{
		Reason: "ScaledUpGroup", Type: "Normal", Message: "Scale-up: setting group workers size to 2 instead of 1 (max: 5)",
		Source: v1.EventSource{Component: "cluster-autoscaler"}, LastTimestamp: metav1.NewTime(now.Add(-time.Minute)),
	}
	other := event
	other.Message = "Scale-up: setting group workers-2 size to 2 instead of 1 (max: 5)"
	return &apiServer{t: t, objects: map[string]any{
		podsPath: v1.PodList{},
		podsPath + "?" + "app.kubernetes.io/name=cluster-autoscaler-openstack": v1.PodList{},
		podsPath + "?" + "app=cluster-autoscaler-openstack": v1.PodList{Items: []v1.Pod{
			pod("standby", "--status-address=:8087", "--scale-down-unneeded-time=3m"), pod("leader", "--status-address=:8087", "--scale-down-unneeded-time=3m"),
		}},
		podsPath + "/http:standby:8087/proxy/status.json": status.Report{SchemaVersion: 1, Leader: "leader"},
		podsPath + "/http:leader:8087/proxy/status.json": status.Report{
			SchemaVersion: 1, Leading: true, Program: "cluster-autoscaler-openstack", Reading: status.Reading{At: ptr.To(now.Add(-4 * time.Second))},
			NodeGroups: []status.NodeGroup{{
				Name: "workers", MinSize: 1, MaxSize: 5, TargetSize: 2, Counts: status.Counts{Running: 1, Creating: 1, Ready: ptr.To(1)},
				Floor:   &status.Floor{Size: 2, Reason: "floor 2: cpu 90 on 1 machines, target 60, wants 2"},
				Stacks:  []status.Stack{{Name: "workers-a", Status: "UPDATE_IN_PROGRESS"}},
				Members: []status.Member{{Stack: "workers-a", Index: "0", Server: serverID, State: "running"}, {Stack: "workers-a", State: "creating"}},
			}},
			Problems:  []status.Problem{{Code: "ForeignUpdate", Group: "workers", Message: "m"}, {Code: "MisspeltTag", Stack: "x", Message: "m"}},
			Decisions: []status.Decision{{At: now.Add(-2 * time.Minute), Kind: status.DecisionGrow, Group: "workers", Reason: "ordered", From: ptr.To(1), To: ptr.To(2)}},
		},
		"/api/v1/nodes": v1.NodeList{Items: []v1.Node{node}},
		"/api/v1/namespaces/kube-system/configmaps/cluster-autoscaler-status": configMap,
		"/api/v1/namespaces/kube-system/events":                               v1.EventList{Items: []v1.Event{event, other}},
	}}
}

// options are those of a call of the tool against the API server.
func (a *apiServer) options() *cli.Options {
	server := httptest.NewServer(a)
	a.t.Cleanup(server.Close)
	o := cli.NewOptions("tool", genericiooptions.NewTestIOStreamsDiscard())
	o.Clock = testingclock.NewFakeClock(now)
	o.Kubernetes.APIServer = ptr.To(server.URL)
	a.t.Setenv("KUBECONFIG", a.t.TempDir()+"/none")
	for _, name := range []string{"OS_CLOUD", "OS_AUTH_URL"} {
		a.t.Setenv(name, "")
	}
	return o
}

// look opens and reads once.
func (a *apiServer) look() (*Sight, error) {
	r, err := Open(a.t.Context(), a.options())
	if err != nil {
		return nil, err
	}
	defer r.Close()
	return r.Read(a.t.Context())
}

func TestStatusThroughTheAPIServer(t *testing.T) {
	a := newWorld(t)
	s, err := a.look()
	require.NoError(t, err)
	require.Equal(t, "the status of pod kube-system/leader", s.Source.From)
	require.Equal(t, "the status of pod kube-system/leader, read 4s ago", s.SourceText())
	require.Empty(t, s.Source.Notes)
	require.Len(t, s.Groups, 1)
	g := s.Groups[0]
	require.Equal(t, "Growing", g.Status)
	require.Equal(t, 1, *g.ReadyNodes)
	require.Equal(t, 2, g.Floor.Size)
	require.Contains(t, g.Floor.Reason, "cpu 90")
	require.Equal(t, "n0", g.Members[0].Node)
	require.True(t, *g.Members[0].Ready)
	require.Equal(t, "Healthy", g.Core.Health)
	require.Equal(t, []string{"ScaledUpGroup", "Grow"}, []string{g.Events[0].Reason, g.Events[1].Reason})
	require.Len(t, g.Events, 2, "the Event of workers-2 is not one of workers")
	require.Equal(t, "ordered (1 to 2)", g.Events[1].Message)
	require.Equal(t, "ForeignUpdate", g.Problems[0].Code)
	require.Equal(t, "MisspeltTag", s.Problems[0].Code)
	require.Equal(t, 3*time.Minute, s.Autoscaler.Flags.Duration("scale-down-unneeded-time", 0))
}

// Labels may be the operator's own: then flags tell which pods are the autoscaler's.
func TestPodsAreFoundByTheirFlags(t *testing.T) {
	a := newWorld(t)
	const usual = podsPath + "?app=cluster-autoscaler-openstack"
	own := a.objects[usual].(v1.PodList)
	for i := range own.Items {
		c := &own.Items[i].Spec.Containers[0]
		c.Args = append(c.Args, "--node-group-auto-discovery=heat:tag=a")
	}
	own.Items = append(own.Items, pod("other", "--status-address=:8087"))
	a.objects[usual], a.objects[podsPath] = v1.PodList{}, own
	s, err := a.look()
	require.NoError(t, err)
	require.Len(t, s.Autoscaler.Pods, 2)
	require.Equal(t, "the status of pod kube-system/leader", s.Source.From)
}

func TestWhatMayNotBeReadIsToldAndUnknown(t *testing.T) {
	a := newWorld(t)
	a.objects["/api/v1/nodes"] = forbidden("nodes")
	a.objects["/api/v1/namespaces/kube-system/configmaps/cluster-autoscaler-status"] = forbidden("configmaps")
	a.objects["/api/v1/namespaces/kube-system/events"] = forbidden("events")
	s, err := a.look()
	require.NoError(t, err)
	require.False(t, s.NodesKnown)
	require.False(t, s.CoreKnown)
	require.Nil(t, s.Groups[0].Core)
	require.Equal(t, 1, *s.Groups[0].ReadyNodes, "the autoscaler knows it")
	require.Len(t, s.Source.Notes, 3)
	for i, right := range []string{"list nodes", "get configmaps in namespace", "list events in namespace"} {
		require.Contains(t, s.Source.Notes[i], "no permission to "+right)
	}
}

func TestCoreThatWritesNoStatusIsNotTakenForGone(t *testing.T) {
	a := newWorld(t)
	delete(a.objects, "/api/v1/namespaces/kube-system/configmaps/cluster-autoscaler-status")
	s, err := a.look()
	require.NoError(t, err)
	require.True(t, s.CoreKnown)
	require.Nil(t, s.Core, "it should have written one, so that it does not run")

	a.objects[podsPath+"?"+"app=cluster-autoscaler-openstack"] = v1.PodList{Items: []v1.Pod{pod("leader", "--status-address=:8087", "--write-status-configmap=false")}}
	s, err = a.look()
	require.NoError(t, err)
	require.False(t, s.CoreKnown)
	require.Equal(t, []string{"cluster-autoscaler writes no status (--write-status-configmap=false); so what cluster-autoscaler says of its groups is not known"}, s.Source.Notes)
}

func TestOldCoreStatusIsNotBelieved(t *testing.T) {
	a := newWorld(t)
	configMap := a.objects["/api/v1/namespaces/kube-system/configmaps/cluster-autoscaler-status"].(v1.ConfigMap)
	configMap.Data["status"] = strings.ReplaceAll(configMap.Data["status"], "02:59:58", "02:54:58")
	s, err := a.look()
	require.NoError(t, err)
	require.False(t, s.CoreIsFresh())
	require.Nil(t, s.Groups[0].Core)
}

func TestWays(t *testing.T) {
	for name, c := range map[string]struct {
		change func(a *apiServer)
		says   []string
	}{
		"no pods": {
			func(a *apiServer) { a.objects[podsPath+"?app=cluster-autoscaler-openstack"] = v1.PodList{} },
			[]string{`no running pod of the autoscaler is found in namespace "kube-system"`, "--status-address=:PORT", "--cloud=ENTRY"},
		},
		"no status": {
			func(a *apiServer) {
				a.objects[podsPath+"?app=cluster-autoscaler-openstack"] = v1.PodList{Items: []v1.Pod{pod("leader")}}
			},
			[]string{"the autoscaler's pods serve no status", "--cloud=ENTRY"},
		},
		"no right": {
			func(a *apiServer) {
				for _, pod := range []string{"standby", "leader"} {
					a.objects[podsPath+"/http:"+pod+":8087/proxy/status.json"] = forbidden("pods/proxy")
				}
			},
			[]string{`no permission to get pods/proxy in namespace "kube-system"`, "nodegroups-viewer.yaml", "--cloud=ENTRY"},
		},
		"nobody leads": {
			func(a *apiServer) {
				a.objects[podsPath+"/http:leader:8087/proxy/status.json"] = status.Report{SchemaVersion: 1}
			},
			[]string{"does not lead and never did", "leader leads"},
		},
		"another program": {
			func(a *apiServer) { a.objects[podsPath+"/http:leader:8087/proxy/status.json"] = `{"a": 1}` },
			[]string{"it has no schemaVersion"},
		},
		"no JSON": {
			func(a *apiServer) { a.objects[podsPath+"/http:leader:8087/proxy/status.json"] = `<html>` },
			[]string{"the status of pod kube-system/leader can't be understood"},
		},
		"a newer one": {
			func(a *apiServer) {
				a.objects[podsPath+"/http:leader:8087/proxy/status.json"] = `{"schemaVersion": 99}`
			},
			[]string{"is of version 99, and this program knows version 1"},
		},
		"pods may not be listed": {
			func(a *apiServer) {
				a.objects[podsPath+"?app.kubernetes.io/name=cluster-autoscaler-openstack"] = forbidden("pods")
			},
			[]string{"no running pod of the autoscaler is found"},
		},
		"nodes can't be listed": {
			func(a *apiServer) { a.objects["/api/v1/nodes"] = apierrors.NewInternalError(http.ErrBodyNotAllowed) },
			[]string{"list nodes: "},
		},
	} {
		t.Run(name, func(t *testing.T) {
			a := newWorld(t)
			c.change(a)
			_, err := a.look()
			for _, text := range c.says {
				require.ErrorContains(t, err, text)
			}
		})
	}
}

// A replica that does not lead any more has an old picture, which is better than none, and is called so.
func TestFormerLeader(t *testing.T) {
	a := newWorld(t)
	report := a.objects[podsPath+"/http:leader:8087/proxy/status.json"].(status.Report)
	report.Leading, report.Leader = false, "other"
	a.objects[podsPath+"/http:leader:8087/proxy/status.json"] = report
	s, err := a.look()
	require.NoError(t, err)
	require.Contains(t, s.Source.Notes[0], "a replica that does not lead any more; other leads")
}

func TestStatusURL(t *testing.T) {
	a := newWorld(t)
	o := a.options()
	report := a.objects[podsPath+"/http:leader:8087/proxy/status.json"]
	served := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/status.json" {
			http.NotFound(w, r)
			return
		}
		_ = json.NewEncoder(w).Encode(report)
	}))
	defer served.Close()
	for address, says := range map[string]string{
		served.URL: "", served.URL + "/": "", served.URL + "/status.json": "", served.URL + "/x": "answers 404 Not Found", "ftp://x": "not an http or https address", ":": "not an http",
	} {
		o.Autoscaler.StatusURL = address
		var s *Sight
		r, err := Open(t.Context(), o)
		if err == nil {
			s, err = r.Read(t.Context())
		}
		if says != "" {
			require.ErrorContains(t, err, says, address)
			continue
		}
		require.NoError(t, err, address)
		require.Contains(t, s.Source.From, served.URL)
	}
}
