package events_test

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes/fake"
	"k8s.io/client-go/tools/record"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/ktesting"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/events"
)

func TestANoticeIsALogLineAndANormalEvent(t *testing.T) {
	logger := ktesting.NewLogger(t, ktesting.NewConfig(ktesting.BufferLogs(true)))
	ctx := klog.NewContext(context.Background(), logger)
	recorder := record.NewFakeRecorder(10)
	r := events.NewReporter(ctx, recorder, "kube-system", "cluster-autoscaler-status", nil)
	r.Notify(events.Notice{Reason: "FloorRaised", Group: "workers", Message: "the floor is 5, was 3"}, "floor", 5)
	require.Equal(t, []string{`Normal FloorRaised node group "workers": the floor is 5, was 3`}, drain(recorder))
	require.Contains(t, logger.GetSink().(ktesting.Underlier).GetBuffer().String(),
		`the floor is 5, was 3 reason="FloorRaised" nodeGroup="workers" floor=5`)
	events.NewReporter(ctx, nil, "", "", nil).Notify(events.Notice{Reason: "FloorRaised"})
}

// client-go makes one of all Events of a reason on an object after the tenth, "(combined from similar events)", and says no more
// what they were about.
func TestFiftyNoticesAreFiftyEvents(t *testing.T) {
	client := fake.NewClientset()
	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()
	recorder, stop := events.NewRecorder(ctx, client)
	defer stop()
	r := events.NewReporter(ctx, recorder, "kube-system", "cluster-autoscaler-status", nil)
	for i := range 50 {
		r.Notify(events.Notice{Reason: "FloorRaised", Group: fmt.Sprint("g", i), Message: "the floor is 5, was 3"})
	}
	var list *v1.EventList
	require.Eventually(t, func() bool {
		var err error
		list, err = client.CoreV1().Events("kube-system").List(ctx, metav1.ListOptions{})
		return err == nil && len(list.Items) == 50
	}, time.Minute, 10*time.Millisecond)
	for _, e := range list.Items {
		require.NotContains(t, e.Message, "combined")
	}
}
