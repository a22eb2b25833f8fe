package openstack

import (
	"bytes"
	"cmp"
	"crypto/sha256"
	"errors"
	"hash"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/gophercloud/gophercloud/v2"
)

// credentials are everything that is needed to sign in.
type credentials struct {
	login *login
	auth  gophercloud.AuthOptions
	// endpoints is which of the catalog's addresses are wanted.
	endpoints gophercloud.EndpointOpts
	tls       tlsFiles
	// fingerprint is a hash of all files involved: two loads with the same fingerprint are the same credentials.
	fingerprint string
}

// load reads the credentials from the source that the options name. The fingerprint is right for errors too.
func load(options Options) (*credentials, string, error) {
	files := newFiles()
	c, err := loadFiles(files, options)
	if err != nil {
		return nil, files.fingerprint(), err
	}
	c.fingerprint = files.fingerprint()
	return c, c.fingerprint, nil
}

func loadFiles(files *files, options Options) (*credentials, error) {
	l, err := readLogin(files, options)
	if err != nil {
		return nil, err
	}
	c := &credentials{login: l}
	if c.auth, err = l.authOptions(); err != nil {
		return nil, err
	}
	c.endpoints.Region = l.region
	if c.endpoints.Availability, err = l.availability(); err != nil {
		return nil, err
	}
	if c.tls, err = readTLS(files, l); err != nil {
		return nil, err
	}
	return c, nil
}

func readLogin(files *files, options Options) (*login, error) {
	switch {
	case options.CloudConfig != "":
		return readCloudConf(files, options.CloudConfig)
	case options.Cloud != "" || os.Getenv("OS_CLOUD") != "":
		return readCloudsYAML(files, "", options.Cloud)
	}
	return readEnvironment()
}

// over fills what l does not say from below.
func (l *login) over(below *login) *login {
	merged := *below
	merged.source = l.source + " and " + below.source
	merged.authURL = cmp.Or(l.authURL, below.authURL)
	merged.region = cmp.Or(l.region, below.region)
	merged.endpointType = cmp.Or(l.endpointType, below.endpointType)
	merged.caFile = cmp.Or(l.caFile, below.caFile)
	merged.certFile = cmp.Or(l.certFile, below.certFile)
	merged.keyFile = cmp.Or(l.keyFile, below.keyFile)
	merged.insecure = l.insecure || below.insecure
	// Who signs in is taken from one place only: half of a user and half of another make neither.
	if l.user() != "" {
		merged.userID, merged.username, merged.password = l.userID, l.username, l.password
		merged.userDomainID, merged.userDomainName = l.userDomainID, l.userDomainName
		merged.appCredentialID, merged.appCredentialName, merged.appCredentialSecret = l.appCredentialID, l.appCredentialName, l.appCredentialSecret
		merged.domainID, merged.domainName = l.domainID, l.domainName
	}
	if l.projectID != "" || l.projectName != "" || l.trustID != "" {
		merged.projectID, merged.projectName, merged.trustID = l.projectID, l.projectName, l.trustID
		merged.projectDomainID, merged.projectDomainName = l.projectDomainID, l.projectDomainName
	}
	return &merged
}

// files reads files and remembers a hash over what it has read.
type files struct{ sum hash.Hash }

func newFiles() *files { return &files{sum: sha256.New()} }

// read returns a file's content. The error names the file and what to do.
func (f *files) read(path string) ([]byte, error) {
	path = home(path)
	content, err := os.ReadFile(path) //nolint:gosec // reading the file that the operator names is the purpose
	if err != nil {
		f.add(path, err.Error())
		remedy := "make it readable for this process"
		if errors.Is(err, fs.ErrNotExist) {
			remedy = "create or mount it, or correct the path"
		}
		return nil, &LoginError{Source: path, Problem: "the file cannot be read", Cause: err, Remedy: remedy}
	}
	f.add(path, string(content))
	if len(bytes.TrimSpace(content)) == 0 {
		return nil, &LoginError{Source: path, Problem: "the file is empty", Remedy: "fill it, or correct the path"}
	}
	return content, nil
}

// exists tells whether a file is there, and makes its coming or going change the fingerprint.
func (f *files) exists(path string) bool {
	_, err := os.Stat(home(path))
	if err != nil {
		f.add(path, "absent")
	}
	return err == nil
}

// add separates the parts by NUL, which no path holds, so that they cannot run into each other unnoticed.
func (f *files) add(path, content string) {
	f.sum.Write([]byte(path + "\x00" + content + "\x00"))
}

func (f *files) fingerprint() string { return string(f.sum.Sum(nil)) }

// home resolves a leading ~/ as clouds.yaml may have it.
func home(path string) string {
	rest, ok := strings.CutPrefix(path, "~/")
	if !ok {
		return path
	}
	dir, err := os.UserHomeDir()
	if err != nil {
		return path
	}
	return filepath.Join(dir, rest)
}
