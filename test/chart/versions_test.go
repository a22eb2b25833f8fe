//go:build chart

package chart

import (
	"fmt"
	"testing"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
)

func deployments(t *testing.T, text string) []*appsv1.Deployment {
	t.Helper()
	return only[*appsv1.Deployment](objects(t, text))
}

// lastMinor is the newest minor version of Kubernetes that is known to work.
const lastMinor = 37

// newestImage is the newest minor version of which autoscaler.versions has an image.
const newestImage = 36

// For every version of Kubernetes the chart renders with API versions that the version serves: ones that are there since 1.25, and that no
// version removes. Kubernetes' own types say of themselves when they came and go.
func TestEveryKubernetesServesTheObjects(t *testing.T) {
	t.Parallel()
	for minor := 25; minor <= lastMinor; minor++ {
		t.Run(fmt.Sprintf("1.%d", minor), func(t *testing.T) {
			t.Parallel()
			for _, of := range allValues(t) {
				out, err := helm(t.Context(), "template", name, dir, "-n", "kube-system", "--kube-version", fmt.Sprintf("1.%d.0", minor), "-f", valuesFile(of))
				require.NoError(t, err)
				for _, object := range objects(t, out) {
					kind := object.GetObjectKind().GroupVersionKind()
					require.NotRegexp(t, "alpha|beta", kind.Version, "%s", kind)
					if removed, ok := object.(interface{ APILifecycleRemoved() (int, int) }); ok {
						major, gone := removed.APILifecycleRemoved()
						t.Errorf("%s is removed in %d.%d", kind, major, gone)
					}
					if introduced, ok := object.(interface{ APILifecycleIntroduced() (int, int) }); ok {
						_, since := introduced.APILifecycleIntroduced()
						require.LessOrEqual(t, since, 25, "%s", kind)
					}
				}
				for _, document := range documents(t, out) {
					if isAPIService(document) {
						require.Contains(t, document, "kind: APIService", "apiregistration.k8s.io/v1 is there since 1.10")
					}
				}
				for _, deployment := range deployments(t, out) {
					for _, container := range deployment.Spec.Template.Spec.Containers {
						if container.Name == "cluster-autoscaler" && of != "application-credential" { // that names a tag
							require.Regexp(t, fmt.Sprintf(`:v1\.%d\.\d+$`, min(minor, newestImage)), container.Image)
						}
					}
				}
			}
		})
	}
}
