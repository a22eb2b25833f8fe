package check

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"k8s.io/autoscaler/cluster-autoscaler/version" //nolint:depguard // a test links nothing into the tool
)

// The tool does not link cluster-autoscaler, so that it has to be told its version.
func TestCoreVersionIsThatOfTheProgram(t *testing.T) {
	assert.Equal(t, version.ClusterAutoscalerVersion, coreVersion)
}
