package events_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/record"
	testclock "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/events"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

var misspelt = nodegroups.Problem{
	Reason: nodegroups.ReasonMisspeltTag, Severity: nodegroups.Blocking, Group: "workers", Stack: "s1",
	Key: "node-group-mxn-size", Value: "3", Message: "not a known annotation", Remedy: "write node-group-min-size",
}

func drain(r *record.FakeRecorder) []string {
	var out []string
	for {
		select {
		case e := <-r.Events:
			out = append(out, e)
		default:
			return out
		}
	}
}

func TestAProblemIsToldOnceAndAgainWhileItHolds(t *testing.T) {
	clock := testclock.NewFakePassiveClock(time.Unix(0, 0))
	recorder := record.NewFakeRecorder(100)
	r := events.NewReporter(context.Background(), recorder, "kube-system", "cluster-autoscaler-status", clock)

	const text = `Warning MisspeltTag node group "workers": stack "s1": node-group-mxn-size="3": not a known annotation; write node-group-min-size`
	r.Report(misspelt)
	require.Equal(t, []string{text}, drain(recorder))

	for range 10 {
		clock.SetTime(clock.Now().Add(time.Minute))
		r.Report(misspelt)
	}
	require.Empty(t, drain(recorder), "told ten minutes ago")

	clock.SetTime(clock.Now().Add(time.Hour))
	r.Report(misspelt)
	require.Equal(t, []string{text}, drain(recorder))
}

func TestANewMessageIsToldSoonButNotAtOnce(t *testing.T) {
	clock := testclock.NewFakePassiveClock(time.Unix(0, 0))
	recorder := record.NewFakeRecorder(100)
	r := events.NewReporter(context.Background(), recorder, "kube-system", "cluster-autoscaler-status", clock)
	p := nodegroups.Problem{Reason: nodegroups.ReasonStackFailed, Stack: "s1", Message: "quota"}
	r.Report(p)
	p.Message = "no valid host"
	r.Report(p)
	require.Len(t, drain(recorder), 1, "a message that changes every second must not flood")
	clock.SetTime(clock.Now().Add(2 * time.Minute))
	r.Report(p)
	require.Equal(t, []string{`Warning StackFailed stack "s1": no valid host`}, drain(recorder))
}

func TestManyProblemsAreBounded(t *testing.T) {
	clock := testclock.NewFakePassiveClock(time.Unix(0, 0))
	recorder := record.NewFakeRecorder(20000)
	r := events.NewReporter(context.Background(), recorder, "kube-system", "cluster-autoscaler-status", clock)
	for i := range 12000 {
		r.Report(nodegroups.Problem{Reason: nodegroups.ReasonStackNotFound, Stack: fmt.Sprint(i)})
	}
	require.Len(t, drain(recorder), 12000)
}

func TestWithoutARecorderItOnlyLogs(t *testing.T) {
	r := events.NewReporter(context.Background(), nil, "kube-system", "cluster-autoscaler-status", nil)
	require.NotPanics(t, func() { r.Report(misspelt) })
}

func TestEventsGoToTheStatusConfigMapAndToTheNode(t *testing.T) {
	client := fake.NewSimpleClientset()
	seen, err := client.CoreV1().Events("").Watch(context.Background(), metav1.ListOptions{})
	require.NoError(t, err)
	defer seen.Stop()
	recorder, stop := events.NewRecorder(context.Background(), client)
	defer stop()
	r := events.NewReporter(context.Background(), recorder, "ca", "the-status", nil)
	r.Report(nodegroups.Problem{Reason: nodegroups.ReasonNoProviderID, Severity: nodegroups.Warning, Node: "n1", Message: "m"})

	got := map[string]*v1.Event{}
	for len(got) < 2 {
		select {
		case e := <-seen.ResultChan():
			require.Equal(t, watch.Added, e.Type)
			event := e.Object.(*v1.Event)
			got[event.InvolvedObject.Kind] = event
		case <-time.After(time.Minute):
			t.Fatalf("only %d events came", len(got))
		}
	}
	require.Equal(t, "ca", got["ConfigMap"].Namespace)
	require.Equal(t, "the-status", got["ConfigMap"].InvolvedObject.Name)
	require.Equal(t, "n1", got["Node"].InvolvedObject.Name)
	require.EqualValues(t, "n1", got["Node"].InvolvedObject.UID)
	require.Equal(t, "NoProviderID", got["Node"].Reason)
	require.Equal(t, events.Component, got["Node"].Source.Component)
	require.Equal(t, `node "n1": m`, got["Node"].Message)
}

func TestTee(t *testing.T) {
	var a, b []nodegroups.Problem
	r := events.Tee(
		nodegroups.ReporterFunc(func(p nodegroups.Problem) { a = append(a, p) }),
		nodegroups.ReporterFunc(func(p nodegroups.Problem) { b = append(b, p) }),
	)
	r.Report(misspelt)
	require.Equal(t, []nodegroups.Problem{misspelt}, a)
	require.Equal(t, a, b)
}
