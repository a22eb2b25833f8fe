package nodegroups

import "fmt"

// TokenSource says where new members have their bootstrap token from.
type TokenSource string

const (
	// TokenMinted: a token is minted for each growth and handed to the stack with it. The words are part of the contract with
	// templates and must not be changed.
	TokenMinted TokenSource = "minted"
	// TokenOwn: the members join by a way of their own, such as an image that knows it or a token that somebody gave the stack.
	TokenOwn TokenSource = "own"
)

// TokenSourceParameter is the stack parameter that says the same as the annotation KeyTokenSource.
const TokenSourceParameter = "bootstrap_token_source"

func parseTokenSource(text string) (TokenSource, error) {
	switch source := TokenSource(text); source {
	case TokenMinted, TokenOwn:
		return source, nil
	}
	return "", fmt.Errorf("must be %s or %s", TokenMinted, TokenOwn)
}

func setTokenSource(c *Config, text string) error {
	source, err := parseTokenSource(text)
	if err == nil {
		c.TokenSource = source
	}
	return err
}

// SetTokenSource takes over what the stack's parameter TokenSourceParameter says, "" if the stack has none, unless an
// annotation has said it. It returns what is wrong with the value, nil if nothing is; Group and Stack are left to the caller.
func (c *Config) SetTokenSource(parameter string) *Problem {
	if c.TokenSource != "" || parameter == "" {
		return nil
	}
	if err := setTokenSource(c, parameter); err != nil {
		return &Problem{
			Reason: ReasonBadAnnotation, Severity: Blocking, Key: TokenSourceParameter, Value: parameter, Message: err.Error(),
			Remedy: fmt.Sprintf("give the stack parameter one of these values, or add the annotation %s", KeyTokenSource),
		}
	}
	return nil
}
