package nodegroups

// FailureClass tells a lack of resources, which another node group may not have, from every other failure.
type FailureClass int

const (
	// OutOfResources means that a quota is used up or no host has room. Another node group may well succeed.
	OutOfResources FailureClass = iota + 1
	// OtherFailure is anything else: a missing image, a refused request, a cloud that does not answer.
	OtherFailure
)

// Codes of failures. They appear in cluster-autoscaler's failed_scale_ups metric and in events, so they are stable.
const (
	CodeQuotaExceeded = "QuotaExceeded"
	CodeNoValidHost   = "NoValidHost"
	CodeNotFound      = "NotFound"     // flavor, image, network, key pair... that the template names does not exist
	CodeUnauthorized  = "Unauthorized" // credentials or roles do not allow it
	CodeRateLimited   = "RateLimited"
	CodeTimeout       = "Timeout"
	CodeInvalid       = "InvalidRequest"
	CodeCloudError    = "CloudError" // everything that is not recognized
)

// Failure says why a member could not be made.
type Failure struct {
	Class FailureClass
	// Code is one of the Code constants.
	Code string
	// Message is Nova's or Heat's own words.
	Message string
}
