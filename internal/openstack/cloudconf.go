package openstack

import (
	"cmp"
	"fmt"
	"regexp"
	"strconv"

	"gopkg.in/gcfg.v1"
)

// globalSection is section [Global] of a cloud.conf. The keys are those of cloud-provider-openstack, documented there;
// project-* are accepted beside tenant-*. Everything is text, so that no value can be cited by a parser's error.
type globalSection struct {
	AuthURL                     string `gcfg:"auth-url"`
	UserID                      string `gcfg:"user-id"`
	Username                    string `gcfg:"username"`
	Password                    string `gcfg:"password"`
	TenantID                    string `gcfg:"tenant-id"`
	TenantName                  string `gcfg:"tenant-name"`
	ProjectID                   string `gcfg:"project-id"`
	ProjectName                 string `gcfg:"project-name"`
	TrustID                     string `gcfg:"trust-id"`
	TrusteeID                   string `gcfg:"trustee-id"`
	TrusteePassword             string `gcfg:"trustee-password"`
	DomainID                    string `gcfg:"domain-id"`
	DomainName                  string `gcfg:"domain-name"`
	TenantDomainID              string `gcfg:"tenant-domain-id"`
	TenantDomainName            string `gcfg:"tenant-domain-name"`
	ProjectDomainID             string `gcfg:"project-domain-id"`
	ProjectDomainName           string `gcfg:"project-domain-name"`
	UserDomainID                string `gcfg:"user-domain-id"`
	UserDomainName              string `gcfg:"user-domain-name"`
	Region                      string `gcfg:"region"`
	EndpointType                string `gcfg:"os-endpoint-type"`
	CAFile                      string `gcfg:"ca-file"`
	TLSInsecure                 string `gcfg:"tls-insecure"`
	CertFile                    string `gcfg:"cert-file"`
	KeyFile                     string `gcfg:"key-file"`
	UseClouds                   string `gcfg:"use-clouds"`
	CloudsFile                  string `gcfg:"clouds-file"`
	Cloud                       string `gcfg:"cloud"`
	ApplicationCredentialID     string `gcfg:"application-credential-id"`
	ApplicationCredentialName   string `gcfg:"application-credential-name"`
	ApplicationCredentialSecret string `gcfg:"application-credential-secret"`
}

// readCloudConf reads a cloud.conf. Other sections and unknown keys are left alone: the file is usually the secret that
// the cloud controller manager and the volume driver share.
func readCloudConf(files *files, path string) (*login, error) {
	content, err := files.read(path)
	if err != nil {
		return nil, err
	}
	global, err := parseCloudConf(content)
	if err != nil {
		return nil, &LoginError{
			Source: path, Problem: err.Error(),
			Remedy: `write key = "value" lines below [Global], with \" and \\ for a quote and a backslash inside the value`,
		}
	}
	l := global.login(path)
	if l.insecure, err = truth(global.TLSInsecure); err != nil {
		return nil, l.wrong(fmt.Sprintf("tls-insecure is %q", global.TLSInsecure), "use true or false")
	}
	useClouds, err := truth(global.UseClouds)
	if err != nil {
		return nil, l.wrong(fmt.Sprintf("use-clouds is %q", global.UseClouds), "use true or false")
	}
	if !useClouds {
		return l, nil
	}
	base, err := readCloudsYAML(files, global.CloudsFile, global.Cloud)
	if err != nil {
		return nil, err
	}
	return l.over(base), nil
}

func (g globalSection) login(path string) *login {
	l := &login{
		source: path, authURL: g.AuthURL,
		userID: g.UserID, username: g.Username, password: g.Password,
		userDomainID: g.UserDomainID, userDomainName: g.UserDomainName,
		projectID: cmp.Or(g.TenantID, g.ProjectID), projectName: cmp.Or(g.TenantName, g.ProjectName),
		projectDomainID:   cmp.Or(g.TenantDomainID, g.ProjectDomainID),
		projectDomainName: cmp.Or(g.TenantDomainName, g.ProjectDomainName),
		domainID:          g.DomainID, domainName: g.DomainName,
		trustID:         g.TrustID,
		appCredentialID: g.ApplicationCredentialID, appCredentialName: g.ApplicationCredentialName,
		appCredentialSecret: g.ApplicationCredentialSecret,
		region:              g.Region, endpointType: g.EndpointType,
		caFile: g.CAFile, certFile: g.CertFile, keyFile: g.KeyFile,
	}
	if g.TrustID != "" {
		l.userID = cmp.Or(g.TrusteeID, l.userID)
		l.password = cmp.Or(g.TrusteePassword, l.password)
	}
	return l
}

// position is where gcfg starts its messages: line and column.
var position = regexp.MustCompile(`\b(\d+):\d+\b`)

// parseCloudConf reads [Global]. What the parser says is not passed on but for the line, because it cites what it read.
func parseCloudConf(content []byte) (global globalSection, err error) {
	defer func() {
		// gcfg panics on an unfinished quote at the end of the file.
		if recover() != nil {
			err = syntaxError("")
		}
	}()
	var config struct{ Global globalSection }
	if err := gcfg.FatalOnly(gcfg.ReadStringInto(&config, string(content))); err != nil {
		line := ""
		if found := position.FindStringSubmatch(err.Error()); found != nil {
			line = found[1]
		}
		return globalSection{}, syntaxError(line)
	}
	return config.Global, nil
}

// syntaxError is the number of a line that cannot be understood, empty if the parser did not tell.
type syntaxError string

func (e syntaxError) Error() string {
	if e == "" {
		return "the file cannot be understood"
	}
	return fmt.Sprintf("line %s cannot be understood", string(e))
}

func truth(s string) (bool, error) {
	if s == "" {
		return false, nil
	}
	return strconv.ParseBool(s)
}
