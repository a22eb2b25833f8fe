package docs

import (
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// Manifests in the documentation are what the API server takes, without a field that it does not know.
func TestManifestsAreValid(t *testing.T) {
	decoder := serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()
	yamls, manifests := 0, 0
	for _, p := range readPages(t) {
		for _, b := range p.blocks {
			if b.language != "yaml" {
				continue
			}
			for _, document := range regexp.MustCompile(`(?m)^---$`).Split(b.text, -1) {
				yamls++
				var content map[string]any
				if err := yaml.Unmarshal([]byte(document), &content); err != nil {
					t.Errorf("%s, code block in line %d: %v", b.page, b.line, err)
					continue
				}
				if content["apiVersion"] == nil || content["kind"] == nil {
					continue
				}
				manifests++
				if _, _, err := decoder.Decode([]byte(document), nil, nil); err != nil {
					t.Errorf("%s, code block in line %d: %v", b.page, b.line, err)
				}
			}
		}
	}
	require.Positive(t, yamls)
	t.Logf("%d manifests among %d blocks of YAML", manifests, yamls)
}
