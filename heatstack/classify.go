package heatstack

import (
	"regexp"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// longestMessage bounds the cloud's words in a Failure, in bytes: Heat repeats every level of nesting.
const longestMessage = 1024

// kinds are the words by which failures are told apart, the first match wins. The words are those of Nova, Neutron, Cinder and
// Heat themselves (nova/exception.py, neutron_lib/exceptions, cinder/exception.py, heat/common/exception.py); they come
// wrapped in several layers of Heat's "Resource CREATE failed: Forbidden: resources[13].resources.server: ...".
var kinds = []struct {
	words *regexp.Regexp
	class nodegroups.FailureClass
	code  string
}{
	// Nova: "Quota exceeded for instances: Requested 1, but already used 6 of 6 instances", "Quota exceeded, too many servers
	// in group". Neutron: "Quota exceeded for resources: ['port']". Cinder: "Maximum number of volumes allowed (10) exceeded for
	// quota 'volumes'", "Requested volume or snapshot exceeds allowed gigabytes quota". Heat: "You have reached the maximum
	// resources per stack". All of these come as 403 or 413, so they go before the codes.
	{regexp.MustCompile(`(?i)quota|maximum number of \w+ allowed|reached the maximum (stacks|resources)|maximum resources per stack`),
		nodegroups.OutOfResources, nodegroups.CodeQuotaExceeded},
	// A subnet or a pool of floating addresses that is used up is a limit as well.
	{regexp.MustCompile(`(?i)no more ip addresses available|no more floating ips|IpAddressGenerationFailure|MacAddressGenerationFailure`),
		nodegroups.OutOfResources, nodegroups.CodeQuotaExceeded},
	{regexp.MustCompile(`(?i)no valid host|exceeded max(imum)? (scheduling attempts|number of retries)|insufficient compute resources|not enough (free )?(memory|hosts|resources)|no (valid )?weighed (hosts|backends)|out of resources`),
		nodegroups.OutOfResources, nodegroups.CodeNoValidHost},
	{regexp.MustCompile(`(?i)HTTP 429|too many requests|rate limit|\bOverLimit\b|HTTP 413`),
		nodegroups.OtherFailure, nodegroups.CodeRateLimited},
	{regexp.MustCompile(`(?i)could not be found|cannot be found|can't be found|not found|NotFound\b|invalid key_?name|HTTP 404|no \w+ matching`),
		nodegroups.OtherFailure, nodegroups.CodeNotFound},
	{regexp.MustCompile(`(?i)HTTP 401|HTTP 403|\bunauthorized\b|\bforbidden\b|requires authentication|authorization failed|not authorized|policy doesn't allow|disallowed by policy`),
		nodegroups.OtherFailure, nodegroups.CodeUnauthorized},
	{regexp.MustCompile(`(?i)timed? ?out|time-out|HTTP 504|HTTP 408|did not finish being created`),
		nodegroups.OtherFailure, nodegroups.CodeTimeout},
	{regexp.MustCompile(`(?i)HTTP 400|bad ?request|StackValidationFailed|is invalid|invalid (input|value)`),
		nodegroups.OtherFailure, nodegroups.CodeInvalid},
}

// classify turns the cloud's words into a Failure. It takes the first of messages that says something known, since Heat cancels the
// siblings of a failed member and gives no reason for those; otherwise the first that says anything.
func classify(messages ...string) *nodegroups.Failure {
	first := ""
	for _, message := range messages {
		if message == "" {
			continue
		}
		for _, kind := range kinds {
			if kind.words.MatchString(message) {
				return &nodegroups.Failure{Class: kind.class, Code: kind.code, Message: shorten(message)}
			}
		}
		if first == "" {
			first = message
		}
	}
	if first == "" {
		first = "the cloud gave no reason"
	}
	return &nodegroups.Failure{Class: nodegroups.OtherFailure, Code: nodegroups.CodeCloudError, Message: shorten(first)}
}

// shorten makes one line of a message, and cuts a long one in the middle: what failed is at its end, where at its beginning.
func shorten(message string) string {
	message = strings.Join(strings.Fields(message), " ")
	if len(message) <= longestMessage {
		return message
	}
	half := (longestMessage - len("...")) / 2
	return message[:half] + "..." + message[len(message)-half:]
}
