package app

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"k8s.io/apimachinery/pkg/util/validation"
)

func TestInstance(t *testing.T) {
	assert.Equal(t, "kube-system.cluster-autoscaler", instance("kube-system", "cluster-autoscaler"))
	long := instance(strings.Repeat("n", 63), "cluster-autoscaler")
	assert.Empty(t, validation.IsValidLabelValue(long))
	assert.NotEqual(t, long, instance(strings.Repeat("n", 63), "another"))
	assert.Equal(t, long, instance(strings.Repeat("n", 63), "cluster-autoscaler"), "the same after a restart")
}
