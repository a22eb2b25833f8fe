package autoscaler

import (
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/autoscaler/cluster-autoscaler/processors/pods"
)

func TestEagernessWaitsOnlyUntilPodsAreOldEnough(t *testing.T) {
	now := time.Unix(1000, 0)
	created := func(ago time.Duration) *v1.Pod {
		return &v1.Pod{ObjectMeta: metav1.ObjectMeta{CreationTimestamp: metav1.NewTime(now.Add(-ago))}}
	}
	for name, tt := range map[string]struct {
		pending  []*v1.Pod
		interval time.Duration
		want     time.Duration
	}{
		"no pods":             {nil, 10 * time.Second, 10 * time.Second},
		"a young pod":         {[]*v1.Pod{created(500 * time.Millisecond)}, 10 * time.Second, 1501 * time.Millisecond},
		"the oldest decides":  {[]*v1.Pod{created(0), created(time.Second)}, 10 * time.Second, 1001 * time.Millisecond},
		"old pods":            {[]*v1.Pod{created(time.Minute)}, 10 * time.Second, 10 * time.Second},
		"a shorter interval":  {[]*v1.Pod{created(0)}, time.Second, time.Second},
		"pods of the future!": {[]*v1.Pod{created(-time.Hour)}, 10 * time.Second, 10 * time.Second},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEagerness()
			e.ScaleUpEnforcer = pods.NewDefaultScaleUpEnforcer()
			require.False(t, e.ShouldForceScaleUp(tt.pending), "it decides nothing")
			require.Equal(t, tt.want, e.Wait(now, tt.interval))
		})
	}
}
