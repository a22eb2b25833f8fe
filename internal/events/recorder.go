package events

import (
	"context"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
	corev1 "k8s.io/client-go/kubernetes/typed/core/v1"
	"k8s.io/client-go/tools/record"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Component is the source of our Events; core's is cluster-autoscaler.
const Component = "cluster-autoscaler-openstack"

// All our Events may be on one ConfigMap, for which client-go's usual allowance (25, then one in 5 minutes) is too little
// when fifty node groups have something to say. The Reporter drops repetitions before that.
const (
	burst = 250
	qps   = 1.0 / 10
)

// NewRecorder returns a recorder that writes Events through client. stop writes what is queued no more; call it at the
// end.
func NewRecorder(ctx context.Context, client kubernetes.Interface) (recorder record.EventRecorder, stop func()) {
	broadcaster := record.NewBroadcaster(record.WithContext(ctx),
		record.WithCorrelatorOptions(record.CorrelatorOptions{BurstSize: burst, QPS: qps, KeyFunc: byMessage}))
	broadcaster.StartRecordingToSink(&corev1.EventSinkImpl{Interface: client.CoreV1().Events("")})
	return broadcaster.NewRecorder(scheme.Scheme, v1.EventSource{Component: Component}), broadcaster.Shutdown
}

// byMessage makes client-go count repetitions of an Event and keep different ones apart. By itself it makes one Event of all with
// the same reason on the same object after the tenth, which says nothing of the other node groups.
func byMessage(event *v1.Event) (aggregateKey, localKey string) {
	key, message := record.EventAggregatorByReasonFunc(event)
	return key + message, message
}

// Tee is a Reporter that passes problems on to several.
func Tee(reporters ...nodegroups.Reporter) nodegroups.Reporter {
	return nodegroups.ReporterFunc(func(p nodegroups.Problem) {
		for _, r := range reporters {
			r.Report(p)
		}
	})
}

func nodeUID(name string) types.UID { return types.UID(name) }
