//go:build chart

package chart

import (
	"bufio"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/runtime/serializer"
	utilyaml "k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"sigs.k8s.io/yaml"
)

// strict knows all objects of Kubernetes, and refuses fields that it does not know.
var strict = serializer.NewCodecFactory(scheme.Scheme, serializer.EnableStrict).UniversalDeserializer()

// documents takes rendered text apart.
func documents(t *testing.T, text string) []string {
	t.Helper()
	reader := utilyaml.NewYAMLReader(bufio.NewReader(strings.NewReader(text)))
	var out []string
	for {
		document, err := reader.Read()
		if errors.Is(err, io.EOF) {
			return out
		}
		require.NoError(t, err)
		var content map[string]any
		require.NoError(t, yaml.UnmarshalStrict(document, &content), string(document))
		if len(content) > 0 {
			out = append(out, string(document))
		}
	}
}

// isForeign says whether an object belongs to an operator. The module test/chart/alerts decodes those.
func isForeign(document string) bool {
	return strings.Contains(document, "apiVersion: monitoring.coreos.com/") || strings.Contains(document, "apiVersion: cert-manager.io/")
}

// isAPIService says whether an object is one of the aggregator, whose types are in a module of their own.
func isAPIService(document string) bool {
	return strings.Contains(document, "apiVersion: apiregistration.k8s.io/v1\n")
}

// objects decodes rendered text strictly. Objects of operators and of the aggregator are left out.
func objects(t *testing.T, text string) []runtime.Object {
	t.Helper()
	var out []runtime.Object
	for _, document := range documents(t, text) {
		if isForeign(document) || isAPIService(document) {
			continue
		}
		object, _, err := strict.Decode([]byte(document), nil, nil)
		require.NoError(t, err, document)
		out = append(out, object)
	}
	require.NotEmpty(t, out)
	return out
}

// only returns the objects of a type.
func only[T runtime.Object](all []runtime.Object) []T {
	var out []T
	for _, object := range all {
		if of, ok := object.(T); ok {
			out = append(out, of)
		}
	}
	return out
}

func nameOf(t *testing.T, object runtime.Object) string {
	t.Helper()
	of, ok := object.(metav1.Object)
	require.True(t, ok)
	return of.GetNamespace() + "/" + of.GetName()
}
