package heatstack

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func TestClassify(t *testing.T) {
	const (
		quota = nodegroups.CodeQuotaExceeded
		host  = nodegroups.CodeNoValidHost
	)
	tests := map[string]struct {
		message string
		class   nodegroups.FailureClass
		code    string
	}{
		"instances, convergence": {"Resource UPDATE failed: resources.nodes: Resource CREATE failed: Forbidden: resources[13].resources.server: Quota exceeded for instances: Requested 1, but already used 6 of 6 instances (HTTP 403) (Request-ID: req-1)", nodegroups.OutOfResources, quota},
		"instances, classic":     {"resources.nodes: Forbidden: resources[4]: Quota exceeded for instances: Requested 1, but already used 4 of 4 instances (HTTP 403) (Request-ID: req-2)", nodegroups.OutOfResources, quota},
		"cores":                  {"Forbidden: resources.server: Quota exceeded for cores: Requested 4, but already used 18 of 20 cores (HTTP 403)", nodegroups.OutOfResources, quota},
		"ram":                    {"Forbidden: resources.server: Quota exceeded for ram: Requested 4096, but already used 50000 of 51200 ram (HTTP 403)", nodegroups.OutOfResources, quota},
		"cores and instances":    {"Quota exceeded for cores, instances: Requested 2, 1, but already used 20, 10 of 20, 10 cores, instances (HTTP 403)", nodegroups.OutOfResources, quota},
		"ports":                  {"Resource CREATE failed: OverQuotaClient: resources[3].resources.port: Quota exceeded for resources: ['port']. Neutron server returns request_ids: ['req-3']", nodegroups.OutOfResources, quota},
		"floating addresses":     {"OverQuotaClient: resources.fip: Quota exceeded for resources: ['floatingip'].", nodegroups.OutOfResources, quota},
		"security groups":        {"Conflict: Quota exceeded for resources: ['security_group']. (HTTP 409)", nodegroups.OutOfResources, quota},
		"volumes":                {"OverLimit: resources[2].resources.boot: VolumeLimitExceeded: Maximum number of volumes allowed (10) exceeded for quota 'volumes'. (HTTP 413) (Request-ID: req-4)", nodegroups.OutOfResources, quota},
		"gigabytes":              {"OverLimit: resources.boot: VolumeSizeExceedsAvailableQuota: Requested volume or snapshot exceeds allowed gigabytes quota. Requested 20G, quota is 1000G and 990G has been consumed. (HTTP 413)", nodegroups.OutOfResources, quota},
		"server group members":   {"Forbidden: resources.server: Quota exceeded, too many servers in group (HTTP 403) (Request-ID: req-5)", nodegroups.OutOfResources, quota},
		"no address left":        {"IpAddressGenerationFailureClient: resources.port: No more IP addresses available on network 1b2c.", nodegroups.OutOfResources, quota},
		"resources per stack":    {"StackResourceLimitExceeded: resources.nodes: Maximum resources per stack exceeded.", nodegroups.OutOfResources, quota},
		"no valid host, Heat":    {`ResourceInError: resources.nodes.resources[1].resources.server: Went to status ERROR due to "Message: No valid host was found. , Code: 500"`, nodegroups.OutOfResources, host},
		"no valid host, Nova":    {"No valid host was found. There are not enough hosts available.", nodegroups.OutOfResources, host},
		"retries used up":        {"Exceeded maximum number of retries. Exceeded max scheduling attempts 3 for instance 1b2c. Last exception: ...", nodegroups.OutOfResources, host},
		"claim":                  {"Insufficient compute resources: Free memory 512.00 MB < requested 4096 MB.", nodegroups.OutOfResources, host},
		"image":                  {"BadRequest: resources.server: Image 1b2c could not be found. (HTTP 400)", nodegroups.OtherFailure, nodegroups.CodeNotFound},
		"flavor":                 {"StackValidationFailed: resources.server: Property error: server.Properties.flavor: Error validating value 'm9.huge': No Flavor matching {'name': 'm9.huge'}. (HTTP 404)", nodegroups.OtherFailure, nodegroups.CodeNotFound},
		"network":                {"NeutronClientNoUniqueMatch: NotFound: resources.port: Unable to find network with name or id 'nodes'", nodegroups.OtherFailure, nodegroups.CodeNotFound},
		"key pair":               {"BadRequest: resources.server: Invalid key_name provided. (HTTP 400)", nodegroups.OtherFailure, nodegroups.CodeNotFound},
		"401":                    {"Unauthorized: resources.server: The request you have made requires authentication. (HTTP 401)", nodegroups.OtherFailure, nodegroups.CodeUnauthorized},
		"403":                    {"Forbidden: resources.server: Policy doesn't allow os_compute_api:servers:create to be performed. (HTTP 403)", nodegroups.OtherFailure, nodegroups.CodeUnauthorized},
		"trust":                  {"AuthorizationFailure: resources.up: Authorization failed.", nodegroups.OtherFailure, nodegroups.CodeUnauthorized},
		"429":                    {"ClientException: resources.server: Too Many Requests (HTTP 429)", nodegroups.OtherFailure, nodegroups.CodeRateLimited},
		"engine's queue":         {"MessagingTimeout: resources.nodes: Timed out waiting for a reply to message ID 1b2c", nodegroups.OtherFailure, nodegroups.CodeTimeout},
		"stack's own time":       {"Timed out", nodegroups.OtherFailure, nodegroups.CodeTimeout},
		"volume takes too long":  {"Build of instance 1b2c aborted: Volume 3d4e did not finish being created even after we waited 187 seconds", nodegroups.OtherFailure, nodegroups.CodeTimeout},
		"bad request":            {"BadRequest: resources.server: Block Device Mapping is Invalid. (HTTP 400)", nodegroups.OtherFailure, nodegroups.CodeInvalid},
		"connection":             {"ConnectFailure: resources.nodes: Unable to establish connection to http://127.0.0.1:8774: ECONNREFUSED", nodegroups.OtherFailure, nodegroups.CodeCloudError},
		"volume in error":        {`ResourceInError: resources.boot: Went to status error due to "Unknown"`, nodegroups.OtherFailure, nodegroups.CodeCloudError},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got := classify(test.message)
			assert.Equal(t, &nodegroups.Failure{Class: test.class, Code: test.code, Message: test.message}, got)
		})
	}
}

func TestClassifyTakesTheMessageThatSaysMost(t *testing.T) {
	const why = "Quota exceeded for instances: Requested 1, but already used 6 of 6 instances (HTTP 403)"
	assert.Equal(t, why, classify("", "CREATE aborted (user triggered cancel)", why).Message, "a cancelled sibling")
	assert.Equal(t, "one line", classify("one\n  line ").Message)
	assert.Equal(t, "first words", classify("", "first words", "second words").Message)
	assert.Equal(t, &nodegroups.Failure{
		Class: nodegroups.OtherFailure, Code: nodegroups.CodeCloudError, Message: "the cloud gave no reason",
	}, classify("", ""))
}

func TestClassifyShortensFromTheMiddle(t *testing.T) {
	got := classify("begin " + strings.Repeat("x", 5000) + " Quota exceeded for cores").Message
	assert.LessOrEqual(t, len(got), longestMessage)
	assert.True(t, strings.HasPrefix(got, "begin "))
	assert.True(t, strings.HasSuffix(got, "Quota exceeded for cores"))
}
