package heatstack

import "regexp"

// encoded is a run of base64 as no name, id or message has it. When Nova refuses user data it quotes them so, Heat keeps the
// quotation as the reason of a failure (nova/api/validation/validators.py: "Invalid input for field/attribute user_data.
// Value: ..."), and the bootstrap token is in it.
var encoded = regexp.MustCompile(`[A-Za-z0-9+/_-]{80,}=*`)

// withoutUserData is what the cloud says of a failure, without what it quotes in base64.
func withoutUserData(reason string) string {
	if len(reason) < 80 {
		return reason // nearly always
	}
	return encoded.ReplaceAllString(reason, "******")
}
