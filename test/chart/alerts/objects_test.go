package alerts

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	certmanager "github.com/cert-manager/cert-manager/pkg/apis/certmanager/v1"
	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	"github.com/prometheus/prometheus/model/rulefmt"
	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"sigs.k8s.io/yaml"
)

// The objects of operators in the rendered charts are what the operators read, without a field that they do not know.
func TestOperatorsReadTheirObjects(t *testing.T) {
	scheme := runtime.NewScheme()
	require.NoError(t, monitoring.AddToScheme(scheme))
	require.NoError(t, certmanager.AddToScheme(scheme))
	decoder := serializer.NewCodecFactory(scheme, serializer.EnableStrict).UniversalDeserializer()
	files, err := filepath.Glob("../testdata/snapshots/*.yaml")
	require.NoError(t, err)
	kinds := map[string]int{}
	foreign := regexp.MustCompile(`(?m)^apiVersion: (monitoring\.coreos\.com|cert-manager\.io)/`)
	for _, file := range files {
		text, err := os.ReadFile(file)
		require.NoError(t, err)
		for _, document := range regexp.MustCompile(`(?m)^---$`).Split(string(text), -1) {
			if !foreign.MatchString(document) {
				continue
			}
			object, kind, err := decoder.Decode([]byte(document), nil, nil)
			require.NoError(t, err, "%s: %s", file, document)
			kinds[kind.Kind]++
			if rule, ok := object.(*monitoring.PrometheusRule); ok {
				rules, err := yaml.Marshal(rule.Spec)
				require.NoError(t, err)
				_, errs := rulefmt.Parse(rules, false)
				require.Empty(t, errs)
			}
		}
	}
	require.Equal(t, map[string]int{"PodMonitor": 1, "ServiceMonitor": 1, "PrometheusRule": 1, "Certificate": 3}, kinds)
}
