package openstack

import (
	"fmt"
	"os"
)

// readEnvironment reads the OS_* variables that an openrc file sets.
//
// gophercloud's AuthOptionsFromEnv is not used because it does not know OS_USER_DOMAIN_* and OS_PROJECT_DOMAIN_*, which
// today's openrc files have.
func readEnvironment() (*login, error) {
	get := func(names ...string) string {
		for _, name := range names {
			if v := os.Getenv(name); v != "" {
				return v
			}
		}
		return ""
	}
	l := &login{
		source:  "the OS_* variables",
		authURL: get("OS_AUTH_URL"),
		userID:  get("OS_USER_ID", "OS_USERID"), username: get("OS_USERNAME"), password: get("OS_PASSWORD"),
		userDomainID: get("OS_USER_DOMAIN_ID"), userDomainName: get("OS_USER_DOMAIN_NAME"),
		projectID: get("OS_PROJECT_ID", "OS_TENANT_ID"), projectName: get("OS_PROJECT_NAME", "OS_TENANT_NAME"),
		projectDomainID: get("OS_PROJECT_DOMAIN_ID"), projectDomainName: get("OS_PROJECT_DOMAIN_NAME"),
		domainID: get("OS_DOMAIN_ID"), domainName: get("OS_DOMAIN_NAME"),
		trustID:             get("OS_TRUST_ID"),
		appCredentialID:     get("OS_APPLICATION_CREDENTIAL_ID"),
		appCredentialName:   get("OS_APPLICATION_CREDENTIAL_NAME"),
		appCredentialSecret: get("OS_APPLICATION_CREDENTIAL_SECRET"),
		region:              get("OS_REGION_NAME"),
		endpointType:        get("OS_INTERFACE", "OS_ENDPOINT_TYPE"),
		caFile:              get("OS_CACERT"),
		certFile:            get("OS_CERT"),
		keyFile:             get("OS_KEY"),
	}
	if l.domainID == "" && l.domainName == "" {
		l.domainID = get("OS_DEFAULT_DOMAIN_ID", "OS_DEFAULT_DOMAIN")
	}
	if l.authURL == "" {
		return nil, &LoginError{
			Source: "nowhere", Problem: "no credentials are given",
			Remedy: "give a cloud.conf, or name a cloud of clouds.yaml (OS_CLOUD), or set OS_AUTH_URL and the other OS_* variables of an openrc file",
		}
	}
	var err error
	if l.insecure, err = truth(os.Getenv("OS_INSECURE")); err != nil {
		return nil, l.wrong(fmt.Sprintf("OS_INSECURE is %q", os.Getenv("OS_INSECURE")), "use true or false")
	}
	return l, nil
}
