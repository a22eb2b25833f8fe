package cloudprovider

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	caerrors "k8s.io/autoscaler/cluster-autoscaler/utils/errors"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

func TestParsePrices(t *testing.T) {
	for name, tt := range map[string]struct{ text, wrong string }{
		"flavors":         {"flavors: {m1.small: 0.05, free: 0}", ""},
		"default":         {"default: {perVCPU: 0.02, perGiB: 0.003}", ""},
		"both":            {"flavors: {m1.small: 0.05}\ndefault: {perVCPU: 0.02, perGiB: 0.003}", ""},
		"nothing":         {"", "neither flavors nor a default"},
		"misspelt key":    {"flavours: {m1.small: 0.05}", "flavours"},
		"negative":        {"flavors: {m1.small: -1}", `"m1.small"`},
		"text":            {"flavors: {m1.small: cheap}", "price list"},
		"endless":         {"flavors: {m1.small: .inf}", "price list"},
		"default of none": {"default: {perVCPU: 0}", "above 0"},
		"not YAML":        {"{", "price list"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := ParsePrices([]byte(tt.text))
			if tt.wrong == "" {
				require.NoError(t, err)
				return
			}
			require.ErrorContains(t, err, tt.wrong)
		})
	}
}

// price of a node or a pod for two hours.
func forTwoHours[T any](t *testing.T, price func(T, time.Time, time.Time) (float64, error), of T) float64 {
	t.Helper()
	start := time.Unix(0, 0)
	got, err := price(of, start, start.Add(2*time.Hour))
	require.NoError(t, err)
	return got
}

func sized(flavor, cpu, memory string) *v1.Node {
	n := &v1.Node{Status: v1.NodeStatus{Capacity: v1.ResourceList{
		v1.ResourceCPU: resource.MustParse(cpu), v1.ResourceMemory: resource.MustParse(memory)}}}
	if flavor != "" {
		n.Labels = map[string]string{v1.LabelInstanceTypeStable: flavor}
	}
	return n
}

func podOf(cpu, memory string) *v1.Pod {
	return &v1.Pod{ObjectMeta: metav1.ObjectMeta{Name: "p"}, Spec: v1.PodSpec{Containers: []v1.Container{{
		Resources: v1.ResourceRequirements{Requests: v1.ResourceList{
			v1.ResourceCPU: resource.MustParse(cpu), v1.ResourceMemory: resource.MustParse(memory)}}}}}}
}

func TestPrices(t *testing.T) {
	file := filepath.Join(t.TempDir(), "prices.yaml")
	write := func(text string) { require.NoError(t, os.WriteFile(file, []byte(text), 0o600)) }
	write("flavors: {m1.small: 0.5}\ndefault: {perVCPU: 0.1, perGiB: 0.01}")
	r := newRig(t, func(o *Options) { o.PriceFile = file }, fake.Stack("a", 1))
	model, err := r.Pricing()
	require.NoError(t, err)
	require.InDelta(t, 1.0, forTwoHours(t, model.NodePrice, sized("m1.small", "2", "4Gi")), 1e-9, "by its flavor")
	require.InDelta(t, 0.88, forTwoHours(t, model.NodePrice, sized("m1.large", "4", "4Gi")), 1e-9, "by its size")
	require.InDelta(t, 0.12, forTwoHours(t, model.PodPrice, podOf("500m", "1Gi")), 1e-9)
	nameless := nodeOf("a", 0, threeSlashes+fake.ServerID("a", 0))
	require.InDelta(t, 1.0, forTwoHours(t, model.NodePrice, nameless), 1e-9, "a member's flavor is known without a label")

	write("flavors: {m1.small: 1}")
	require.NoError(t, r.Refresh())
	model, err = r.Pricing()
	require.NoError(t, err)
	require.InDelta(t, 2.0, forTwoHours(t, model.NodePrice, sized("m1.small", "2", "4Gi")), 1e-9, "the file is followed")
	start := time.Now()
	_, priceErr := model.NodePrice(sized("m1.large", "4", "8Gi"), start, start.Add(time.Hour))
	require.ErrorContains(t, priceErr, "m1.large")
	// m1.small has 2 CPUs and 4 GiB, which count as 2.5 CPUs.
	require.InDelta(t, 2*0.4, forTwoHours(t, model.PodPrice, podOf("1", "0")), 1e-9, "derived from the flavors")

	write("flavors: {m1.small: minus one}")
	require.NoError(t, r.Refresh(), "a bad price file does not stop the loop")
	require.Equal(t, []string{nodegroups.ReasonBadPriceFile}, r.reports.Reasons())
	model, err = r.Pricing()
	require.NoError(t, err)
	require.InDelta(t, 2.0, forTwoHours(t, model.NodePrice, sized("m1.small", "2", "4Gi")), 1e-9, "the old prices hold")
}

func TestPodPricesAreDefinedEvenIfNoSizeIsKnown(t *testing.T) {
	m := newPriceModel(&PriceList{Flavors: map[string]float64{"elsewhere": 3}}, nil, nil)
	require.InDelta(t, 2.0, forTwoHours(t, m.PodPrice, podOf("1", "0")), 1e-9)
}

func TestWithoutAPriceFileThereAreNoPrices(t *testing.T) {
	r := newRig(t, nil, fake.Stack("a", 1))
	_, err := r.Pricing()
	require.ErrorContains(t, err, "--price-file")
	require.Equal(t, caerrors.ConfigurationError, err.Type())
}

func TestABadPriceFileIsRefusedAtTheStart(t *testing.T) {
	_, err := New(context.Background(), nodegroups.NewManager(fake.NewStacks(), nil, nodegroups.ManagerOptions{}),
		Options{PriceFile: filepath.Join(t.TempDir(), "missing.yaml"), Template: templateOf})
	require.ErrorIs(t, err, os.ErrNotExist)
}
