package check

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"k8s.io/autoscaler/cluster-autoscaler/version"
)

// The tool does not link cluster-autoscaler, so that it has to be told its version.
func TestCoreVersionIsThatOfTheProgram(t *testing.T) {
	assert.Equal(t, version.ClusterAutoscalerVersion, coreVersion)
}
