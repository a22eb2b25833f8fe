package openstack

import (
	"cmp"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2/openstack/config/clouds"
	yaml "sigs.k8s.io/yaml/goyaml.v3"
)

// readCloudsYAML reads one entry of clouds.yaml, over it secure.yaml beside the file, and below it the vendor profile of
// clouds-public.yaml that the entry names, as python-openstackclient does. file may be empty: then the usual places are
// tried. OS_CACERT, OS_CERT, OS_KEY, OS_REGION_NAME and OS_INTERFACE win over the entry.
func readCloudsYAML(files *files, file, name string) (*login, error) {
	name = cmp.Or(name, os.Getenv("OS_CLOUD"))
	if name == "" {
		return nil, &LoginError{Source: "clouds.yaml", Problem: "no entry is named", Remedy: "set OS_CLOUD, or cloud in cloud.conf"}
	}
	file, err := findClouds(files, file, "clouds.yaml")
	if err != nil {
		return nil, err
	}
	entries, err := readEntries(files, file, "clouds")
	if err != nil {
		return nil, err
	}
	entry, ok := entries[name]
	if !ok {
		return nil, &LoginError{
			Source:  file,
			Problem: fmt.Sprintf("there is no cloud %q", name),
			Remedy:  "name one of " + strings.Join(slices.Sorted(maps.Keys(entries)), ", "),
		}
	}
	layers := []yaml.Node{entry}

	secure := filepath.Join(filepath.Dir(file), "secure.yaml")
	if files.exists(secure) {
		secrets, err := readEntries(files, secure, "clouds")
		if err != nil {
			return nil, err
		}
		if node, ok := secrets[name]; ok {
			layers = append(layers, node)
		}
	}
	cloud, err := merge(file, layers)
	if err != nil {
		return nil, err
	}
	if profile := cmp.Or(cloud.Profile, cloud.Cloud); profile != "" {
		node, err := readProfile(files, profile)
		if err != nil {
			return nil, err
		}
		if node != nil {
			if cloud, err = merge(file, append([]yaml.Node{*node}, layers...)); err != nil {
				return nil, err
			}
		}
	}
	return cloudLogin(cloud, fmt.Sprintf("cloud %q of %s", name, file))
}

// readProfile reads what a vendor says of its cloud; nil if no file knows the profile.
func readProfile(files *files, profile string) (*yaml.Node, error) {
	public, err := findClouds(files, "", "clouds-public.yaml")
	if err != nil {
		return nil, nil //nolint:nilerr // most profiles are built into Python's SDK only, and the entry may do without
	}
	profiles, err := readEntries(files, public, "public-clouds")
	if err != nil {
		return nil, err
	}
	if node, ok := profiles[profile]; ok {
		return &node, nil
	}
	return nil, nil
}

func cloudLogin(cloud *clouds.Cloud, source string) (*login, error) {
	auth := cloud.AuthInfo
	if auth == nil {
		auth = &clouds.AuthInfo{}
	}
	l := &login{
		source: source, authURL: auth.AuthURL,
		userID: auth.UserID, username: auth.Username, password: auth.Password,
		userDomainID: auth.UserDomainID, userDomainName: auth.UserDomainName,
		projectID: auth.ProjectID, projectName: auth.ProjectName,
		projectDomainID: auth.ProjectDomainID, projectDomainName: auth.ProjectDomainName,
		domainID: cmp.Or(auth.DomainID, auth.DefaultDomain), domainName: auth.DomainName,
		trustID:         auth.TrustID,
		appCredentialID: auth.ApplicationCredentialID, appCredentialName: auth.ApplicationCredentialName,
		appCredentialSecret: auth.ApplicationCredentialSecret,
		region:              cmp.Or(os.Getenv("OS_REGION_NAME"), cloud.RegionName),
		endpointType:        cmp.Or(os.Getenv("OS_INTERFACE"), cloud.EndpointType, cloud.Interface),
		caFile:              cmp.Or(os.Getenv("OS_CACERT"), cloud.CACertFile),
		certFile:            cmp.Or(os.Getenv("OS_CERT"), cloud.ClientCertFile),
		keyFile:             cmp.Or(os.Getenv("OS_KEY"), cloud.ClientKeyFile),
		insecure:            cloud.Verify != nil && !*cloud.Verify,
	}
	if auth.DomainID == "" && auth.DomainName != "" {
		l.domainID = ""
	}
	if auth.Token != "" && l.password == "" && !l.usesApplicationCredential() {
		return nil, l.wrong("a token is given, which ends after some hours and cannot be renewed", "use a password or an application credential")
	}
	return l, nil
}

// findClouds returns the path of a configuration file: the given one, else the first of the usual places.
func findClouds(files *files, given, name string) (string, error) {
	if given != "" {
		return given, nil
	}
	if env := os.Getenv("OS_CLIENT_CONFIG_FILE"); env != "" && name == "clouds.yaml" {
		return env, nil
	}
	places := []string{name}
	if dir, err := os.UserConfigDir(); err == nil {
		places = append(places, filepath.Join(dir, "openstack", name))
	}
	places = append(places, filepath.Join("/etc/openstack", name))
	for _, place := range places {
		if files.exists(place) {
			return place, nil
		}
	}
	return "", &LoginError{
		Source:  name,
		Problem: "the file is in none of " + strings.Join(places, ", "),
		Remedy:  "set OS_CLIENT_CONFIG_FILE to its path",
	}
}

// readEntries reads the entries below the file's top-level key, undecoded.
func readEntries(files *files, file, key string) (map[string]yaml.Node, error) {
	content, err := files.read(file)
	if err != nil {
		return nil, err
	}
	var top map[string]yaml.Node
	if err := yaml.Unmarshal(content, &top); err != nil {
		return nil, wrongYAML(file, err)
	}
	entries := map[string]yaml.Node{}
	node, ok := top[key]
	if !ok {
		return entries, nil
	}
	if err := node.Decode(&entries); err != nil {
		return nil, wrongYAML(file, err)
	}
	return entries, nil
}

// merge decodes the layers one over the other; the last one wins, field by field.
func merge(file string, layers []yaml.Node) (*clouds.Cloud, error) {
	cloud := &clouds.Cloud{}
	for _, layer := range layers {
		if err := layer.Decode(cloud); err != nil {
			return nil, wrongYAML(file, err)
		}
	}
	return cloud, nil
}

var yamlLine = regexp.MustCompile(`\bline (\d+)\b`)

// wrongYAML passes on no more than the line, because YAML's errors cite the value that did not fit.
func wrongYAML(file string, err error) error {
	line := ""
	if found := yamlLine.FindStringSubmatch(err.Error()); found != nil {
		line = found[1]
	}
	return &LoginError{Source: file, Problem: syntaxError(line).Error(), Remedy: "compare it with the clouds.yaml that Horizon offers for download"}
}
