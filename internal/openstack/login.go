package openstack

import (
	"fmt"
	"net/url"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
)

// login is what a source of credentials says, whichever source it is. Empty fields are not given.
type login struct {
	// source names the file, entry or variables in errors and logs.
	source string

	authURL                                                 string
	userID, username, password                              string
	userDomainID, userDomainName                            string
	projectID, projectName                                  string
	projectDomainID, projectDomainName                      string
	domainID, domainName                                    string
	trustID                                                 string
	appCredentialID, appCredentialName, appCredentialSecret string

	region       string
	endpointType string

	caFile, certFile, keyFile string
	insecure                  bool
}

// LoginError says that the given credentials cannot work as they are, before any request is made.
type LoginError struct {
	// Source is where the credentials came from; Problem says what is wrong with them, Remedy what to do.
	Source, Problem, Remedy string
	// Cause is the error behind it; it may be nil.
	Cause error
}

// Error names source, problem and remedy. It never holds a secret.
func (e *LoginError) Error() string {
	s := fmt.Sprintf("OpenStack credentials from %s: %s", e.Source, e.Problem)
	if e.Cause != nil {
		s += ": " + e.Cause.Error()
	}
	if e.Remedy != "" {
		s += "; " + e.Remedy
	}
	return s
}

// Unwrap returns the error behind it.
func (e *LoginError) Unwrap() error { return e.Cause }

func (l *login) wrong(problem, remedy string) error {
	return &LoginError{Source: l.source, Problem: problem, Remedy: remedy}
}

// usesApplicationCredential tells which of the two ways of signing in is meant. A password beside an application
// credential is left out: Keystone would then take the password and give a token without a project.
func (l *login) usesApplicationCredential() bool {
	return l.appCredentialID != "" || l.appCredentialName != ""
}

// authOptions turns the login into what gophercloud wants, or says what is missing.
func (l *login) authOptions() (gophercloud.AuthOptions, error) {
	none := gophercloud.AuthOptions{}
	if err := l.checkURL(); err != nil {
		return none, err
	}
	options := gophercloud.AuthOptions{IdentityEndpoint: l.authURL, AllowReauth: true}

	if l.appCredentialID != "" {
		if l.appCredentialSecret == "" {
			return none, l.wrong(fmt.Sprintf("application credential %q has no secret", l.appCredentialID), "add application-credential-secret")
		}
		options.ApplicationCredentialID = l.appCredentialID
		options.ApplicationCredentialSecret = l.appCredentialSecret
		return options, nil
	}

	if l.userID == "" && l.username == "" {
		return none, l.wrong("neither a user nor an application credential is given",
			"add username (or user-id) and password, or application-credential-id and application-credential-secret")
	}
	if l.userID != "" {
		options.UserID = l.userID
	} else {
		options.Username = l.username
		options.DomainID, options.DomainName = oneOf(l.userDomainID, l.userDomainName, l.domainID, l.domainName)
		if options.DomainID == "" && options.DomainName == "" {
			return none, l.wrong(fmt.Sprintf("the domain of user %q is not given", l.username), "add user-domain-name, which is often Default")
		}
	}

	if l.appCredentialName != "" {
		if l.appCredentialSecret == "" {
			return none, l.wrong(fmt.Sprintf("application credential %q has no secret", l.appCredentialName), "add application-credential-secret")
		}
		options.ApplicationCredentialName = l.appCredentialName
		options.ApplicationCredentialSecret = l.appCredentialSecret
		return options, nil
	}

	if l.password == "" {
		return none, l.wrong(fmt.Sprintf("user %q has no password", l.user()), "add password")
	}
	options.Password = l.password
	scope, err := l.scope()
	if err != nil {
		return none, err
	}
	options.Scope = scope
	return options, nil
}

// scope is what a token of a password is good for. Heat and Nova need a project.
func (l *login) scope() (*gophercloud.AuthScope, error) {
	switch {
	case l.trustID != "":
		return &gophercloud.AuthScope{TrustID: l.trustID}, nil
	case l.projectID != "":
		return &gophercloud.AuthScope{ProjectID: l.projectID}, nil
	case l.projectName != "":
		id, name := oneOf(l.projectDomainID, l.projectDomainName, l.domainID, l.domainName)
		if id == "" && name == "" {
			// A user's project is most often in the user's own domain.
			id, name = oneOf(l.userDomainID, l.userDomainName, "", "")
		}
		if id == "" && name == "" {
			return nil, l.wrong(fmt.Sprintf("the domain of project %q is not given", l.projectName), "add project-domain-name (tenant-domain-name in cloud.conf), which is often Default")
		}
		return &gophercloud.AuthScope{ProjectName: l.projectName, DomainID: id, DomainName: name}, nil
	}
	return nil, l.wrong("no project is given", "add project-id, or project-name and project-domain-name (tenant-id, tenant-name, tenant-domain-name in cloud.conf)")
}

func (l *login) checkURL() error {
	if l.authURL == "" {
		return l.wrong("the identity service's address is not given", "add auth-url, such as https://cloud.example.org:5000/v3")
	}
	u, err := url.Parse(l.authURL)
	if err != nil || u.Host == "" || (u.Scheme != "http" && u.Scheme != "https") {
		return l.wrong("auth-url is not an http or https address", "write it like https://cloud.example.org:5000/v3")
	}
	// The address appears in logs and errors.
	if u.User != nil {
		return l.wrong("auth-url holds a user name or password", "give them as username and password")
	}
	return nil
}

// availability is which of a service's addresses is used.
func (l *login) availability() (gophercloud.Availability, error) {
	switch strings.TrimSuffix(strings.ToLower(l.endpointType), "url") {
	case "", "public":
		return gophercloud.AvailabilityPublic, nil
	case "internal":
		return gophercloud.AvailabilityInternal, nil
	case "admin":
		return gophercloud.AvailabilityAdmin, nil
	}
	return "", l.wrong(fmt.Sprintf("interface %q is unknown", l.endpointType), "use public, internal or admin")
}

// user is the name of whoever signs in, for logs and errors.
func (l *login) user() string {
	for _, name := range []string{l.appCredentialName, l.appCredentialID, l.username, l.userID} {
		if name != "" {
			return name
		}
	}
	return ""
}

// secrets are the values that must never be shown.
func (l *login) secrets() []string {
	return []string{l.password, l.appCredentialSecret}
}

// oneOf picks the more specific domain; of an id and a name of the same domain it drops the name, because Keystone takes
// only one.
func oneOf(id, name, otherID, otherName string) (string, string) {
	switch {
	case id != "":
		return id, ""
	case name != "":
		return "", name
	case otherID != "":
		return otherID, ""
	}
	return "", otherName
}
