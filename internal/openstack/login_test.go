package openstack

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

const (
	url5000 = "http://keystone:5000/v3"
	inside  = gophercloud.AvailabilityInternal
)

func authOf(t *testing.T, options Options) (gophercloud.AuthOptions, gophercloud.EndpointOpts) {
	t.Helper()
	c, _, err := load(options)
	require.NoError(t, err)
	return c.auth, c.endpoints
}

func TestCloudConf(t *testing.T) {
	password := gophercloud.AuthOptions{
		IdentityEndpoint: url5000, AllowReauth: true, Username: "demo", Password: "p", DomainName: "Default",
		Scope: &gophercloud.AuthScope{ProjectName: "proj", DomainName: "Default"},
	}
	byID := gophercloud.AuthOptions{
		IdentityEndpoint: url5000, AllowReauth: true, UserID: "u1", Password: "p", Scope: &gophercloud.AuthScope{ProjectID: "p1"},
	}
	start := "[Global]\nauth-url = " + url5000 + "\n"
	tests := map[string]struct {
		conf string
		want gophercloud.AuthOptions
	}{
		"password and names":        {start + "username=demo\npassword=p\ntenant-name=proj\ndomain-name=Default\n", password},
		"project beside tenant":     {start + "username=demo\npassword=p\nproject-name=proj\nuser-domain-name=Default\nproject-domain-name=Default\n", password},
		"user's domain for project": {start + "username=demo\npassword=p\ntenant-name=proj\nuser-domain-name=Default\n", password},
		"ids":                       {start + "user-id=u1\nusername=demo\npassword=p\ntenant-id=p1\ntenant-name=proj\ndomain-name=Default\n", byID},
		"domain by id and name": {start + "username=demo\npassword=p\ntenant-id=p1\nuser-domain-id=d\nuser-domain-name=D\n", gophercloud.AuthOptions{
			IdentityEndpoint: url5000, AllowReauth: true, Username: "demo", Password: "p", DomainID: "d", Scope: &gophercloud.AuthScope{ProjectID: "p1"},
		}},
		"different domains": {start + "username=demo\npassword=p\ntenant-name=proj\nuser-domain-id=u\ntenant-domain-id=p\ndomain-id=x\n", gophercloud.AuthOptions{
			IdentityEndpoint: url5000, AllowReauth: true, Username: "demo", Password: "p", DomainID: "u", Scope: &gophercloud.AuthScope{ProjectName: "proj", DomainID: "p"},
		}},
		"application credential by id": {start + "application-credential-id=a\napplication-credential-secret=s\npassword=p\nusername=demo\n", gophercloud.AuthOptions{
			IdentityEndpoint: url5000, AllowReauth: true, ApplicationCredentialID: "a", ApplicationCredentialSecret: "s",
		}},
		"application credential by name": {start + "application-credential-name=a\napplication-credential-secret=s\nusername=demo\nuser-domain-name=D\npassword=p\n", gophercloud.AuthOptions{
			IdentityEndpoint: url5000, AllowReauth: true, ApplicationCredentialName: "a", ApplicationCredentialSecret: "s", Username: "demo", DomainName: "D",
		}},
		"trust of Magnum": {start + "trust-id=t\nuser-id=other\ntrustee-id=u1\ntrustee-password=tp\nca-file=\n", gophercloud.AuthOptions{
			IdentityEndpoint: url5000, AllowReauth: true, UserID: "u1", Password: "tp", Scope: &gophercloud.AuthScope{TrustID: "t"},
		}},
		"quotes, comments, other sections, unknown keys": {
			"; a comment\n[Global]\nauth-url=\"" + url5000 + "\"\nusername=demo\npassword=\"p\"  # comment\ntenant-name=proj\ndomain-name=Default\nnew-key-of-tomorrow=1\n" +
				"[LoadBalancer]\nuse-octavia=true\nsubnet-id=abc\n[LoadBalancerClass \"internal\"]\nfloating-network-id=x\n[BlockStorage]\nignore-volume-az=true\n[Networking]\n[Metadata]\nsearch-order=a,b\n", password,
		},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			got, _ := authOf(t, Options{CloudConfig: file(t, filepath.Join(t.TempDir(), "cloud.conf"), test.conf)})
			assert.Equal(t, test.want, got)
		})
	}
}

func TestIncompleteCredentialsNameKeyAndRemedy(t *testing.T) {
	const secret = "very-s3cret-indeed"
	tests := map[string]struct{ conf, says string }{
		"no URL":                {"username=demo", "auth-url"},
		"no http":               {"auth-url=keystone.example.org", "https://"},
		"credentials in URL":    {"auth-url=http://me:" + secret + "@h/", "auth-url holds"},
		"nobody":                {"auth-url=http://h\npassword=" + secret, "application-credential-id"},
		"no domain":             {"auth-url=http://h\nusername=demo\npassword=" + secret + "\ntenant-id=p", `domain of user "demo"`},
		"no project domain":     {"auth-url=http://h\nuser-id=u\npassword=" + secret + "\ntenant-name=proj", `domain of project "proj"`},
		"no project":            {"auth-url=http://h\nuser-id=u\npassword=" + secret, "no project"},
		"no password":           {"auth-url=http://h\nuser-id=u\ntenant-id=p", "no password"},
		"no secret":             {"auth-url=http://h\napplication-credential-id=abc", `"abc" has no secret`},
		"no secret for a name":  {"auth-url=http://h\nuser-id=u\napplication-credential-name=abc", `"abc" has no secret`},
		"interface":             {"auth-url=http://h\nuser-id=u\ntenant-id=p\npassword=" + secret + "\nos-endpoint-type=inside", `"inside"`},
		"insecure":              {"auth-url=http://h\ntls-insecure=maybe", `tls-insecure is "maybe"`},
		"use-clouds":            {"auth-url=http://h\nuse-clouds=maybe", `use-clouds is "maybe"`},
		"missing authority":     {"auth-url=http://h\nuser-id=u\ntenant-id=p\npassword=" + secret + "\nca-file=/does/not/exist.pem", "/does/not/exist.pem"},
		"unescaped quote":       {"auth-url=http://h\npassword=" + secret + "\"", "line 3"},
		"unfinished quote":      {"password=\"" + secret, "understood"},
		"wrong escape":          {"password=\"" + secret + "\\q\"", "line 2"},
		"line that is no value": {secret + " " + secret, "line 2"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			path := file(t, filepath.Join(t.TempDir(), "cloud.conf"), "[Global]\n"+test.conf)
			_, _, err := load(Options{CloudConfig: path})
			require.ErrorContains(t, err, test.says)
			assert.NotContains(t, err.Error(), secret)
			var login *LoginError
			require.ErrorAs(t, err, &login)
			assert.NotEmpty(t, login.Remedy)
		})
	}
}

func TestCloudsYAML(t *testing.T) {
	clean(t)
	dir := t.TempDir()
	path := file(t, filepath.Join(dir, "clouds.yaml"), `
clouds:
  main:
    profile: vendor
    region_name: north
    interface: internal
    auth: {username: demo, project_name: proj, user_domain_name: Default, project_domain_id: default, password: 0123}
  app:
    auth_type: v3applicationcredential
    auth: {auth_url: "`+url5000+`", application_credential_id: a, application_credential_secret: s}
  tok:
    auth: {auth_url: "`+url5000+`", token: abc}
  bare: {}
  default:
    auth: {auth_url: "`+url5000+`", user_id: u, project_name: proj, default_domain: d, password: yes}
`)
	t.Setenv("OS_CLIENT_CONFIG_FILE", path)
	t.Chdir(dir)
	_, _, err := load(Options{Cloud: "main"})
	require.ErrorContains(t, err, "auth-url", "the vendor's profile is nowhere")
	file(t, filepath.Join(dir, "clouds-public.yaml"), "public-clouds: {vendor: {region_name: south, auth: {auth_url: '"+url5000+"'}}}")

	auth, endpoints := authOf(t, Options{Cloud: "main"})
	want := gophercloud.AuthOptions{
		IdentityEndpoint: url5000, AllowReauth: true, Username: "demo", Password: "0123", DomainName: "Default",
		Scope: &gophercloud.AuthScope{ProjectName: "proj", DomainID: "default"},
	}
	assert.Equal(t, want, auth, "a password of digits stays as it is written")
	assert.Equal(t, gophercloud.EndpointOpts{Region: "north", Availability: inside}, endpoints)

	file(t, filepath.Join(dir, "secure.yaml"), "clouds: {main: {auth: {password: from-secure}}}")
	auth, _ = authOf(t, Options{Cloud: "main"})
	assert.Equal(t, "from-secure", auth.Password)

	t.Setenv("OS_CLOUD", "app")
	auth, _ = authOf(t, Options{})
	assert.Equal(t, "a", auth.ApplicationCredentialID)
	t.Setenv("OS_REGION_NAME", "east")
	_, endpoints = authOf(t, Options{})
	assert.Equal(t, "east", endpoints.Region)

	auth, _ = authOf(t, Options{Cloud: "default"})
	assert.Equal(t, "yes", auth.Password)
	assert.Equal(t, &gophercloud.AuthScope{ProjectName: "proj", DomainID: "d"}, auth.Scope)

	for cloud, says := range map[string]string{"tok": "cannot be renewed", "bare": "auth-url", "other": "app, bare, default, main, tok"} {
		_, _, err := load(Options{Cloud: cloud})
		require.ErrorContains(t, err, says, cloud)
		require.ErrorContains(t, err, path, cloud)
	}
}

func TestBrokenCloudsYAMLShowsNoValue(t *testing.T) {
	clean(t)
	for _, content := range []string{
		"clouds: {a: {auth: very-s3cret}}", "clouds: {a: {auth: {password: [very-s3cret]}}}", "clouds: {a: {auth: {password: *very-s3cret}}}",
		"clouds: very-s3cret", "very-s3cret", "clouds:\n  a:\n auth: \"very-s3cret", "clouds: {a: {verify: very-s3cret}}",
	} {
		path := file(t, filepath.Join(t.TempDir(), "clouds.yaml"), content)
		t.Setenv("OS_CLIENT_CONFIG_FILE", path)
		_, _, err := load(Options{Cloud: "a"})
		require.ErrorContains(t, err, path, content)
		assert.NotContains(t, err.Error(), "s3cret", content)
	}
}

func TestCloudsYAMLIsFoundInTheUsualPlaces(t *testing.T) {
	clean(t)
	t.Chdir(t.TempDir())
	_, _, err := load(Options{Cloud: "a"})
	require.ErrorContains(t, err, "OS_CLIENT_CONFIG_FILE")
	dir := filepath.Join(os.Getenv("XDG_CONFIG_HOME"), "openstack")
	require.NoError(t, os.Mkdir(dir, 0o700))
	file(t, filepath.Join(dir, "clouds.yaml"), "clouds: {a: {auth: {auth_url: 'http://home', user_id: u, password: p, project_id: p}}}")
	auth, _ := authOf(t, Options{Cloud: "a"})
	assert.Equal(t, "http://home", auth.IdentityEndpoint)
	file(t, "clouds.yaml", "clouds: {a: {auth: {auth_url: 'http://here', user_id: u, password: p, project_id: p}}}")
	auth, _ = authOf(t, Options{Cloud: "a"})
	assert.Equal(t, "http://here", auth.IdentityEndpoint)
}

func TestCloudConfThatUsesClouds(t *testing.T) {
	clean(t)
	dir := t.TempDir()
	clouds := file(t, filepath.Join(dir, "my-clouds.yaml"),
		"clouds: {a: {region_name: north, verify: false, auth: {auth_url: 'http://yaml', username: u, user_domain_name: D, password: p, project_name: n, project_domain_name: D}}}")
	conf := file(t, filepath.Join(dir, "cloud.conf"), "[Global]\nuse-clouds=true\nclouds-file="+clouds+"\ncloud=a\nregion=south\n")
	c, _, err := load(Options{CloudConfig: conf})
	require.NoError(t, err)
	assert.Equal(t, "http://yaml", c.auth.IdentityEndpoint)
	assert.Equal(t, "p", c.auth.Password)
	assert.Equal(t, "south", c.endpoints.Region)
	assert.True(t, c.tls.insecure)

	file(t, conf, "[Global]\nuse-clouds=true\nclouds-file="+clouds+"\ncloud=a\nuser-id=mine\npassword=my\ntenant-id=t\n")
	auth, _ := authOf(t, Options{CloudConfig: conf})
	assert.Equal(t, gophercloud.AuthOptions{IdentityEndpoint: "http://yaml", AllowReauth: true, UserID: "mine", Password: "my", Scope: &gophercloud.AuthScope{ProjectID: "t"}}, auth)
}

func TestEnvironment(t *testing.T) {
	clean(t)
	_, _, err := load(Options{})
	require.ErrorContains(t, err, "OS_AUTH_URL")
	for name, value := range map[string]string{
		"OS_AUTH_URL": url5000, "OS_USERNAME": "demo", "OS_PASSWORD": "p", "OS_PROJECT_NAME": "proj", "OS_USER_DOMAIN_NAME": "Default",
		"OS_PROJECT_DOMAIN_ID": "default", "OS_INTERFACE": "internal", "OS_REGION_NAME": "north",
	} {
		t.Setenv(name, value)
	}
	auth, endpoints := authOf(t, Options{})
	assert.Equal(t, gophercloud.AuthOptions{
		IdentityEndpoint: url5000, AllowReauth: true, Username: "demo", Password: "p", DomainName: "Default",
		Scope: &gophercloud.AuthScope{ProjectName: "proj", DomainID: "default"},
	}, auth)
	assert.Equal(t, gophercloud.EndpointOpts{Region: "north", Availability: inside}, endpoints)

	t.Setenv("OS_INSECURE", "perhaps")
	_, _, err = load(Options{})
	require.ErrorContains(t, err, `OS_INSECURE is "perhaps"`)
	t.Setenv("OS_INSECURE", "1")
	c, _, err := load(Options{})
	require.NoError(t, err)
	assert.True(t, c.tls.insecure)
	t.Setenv("OS_CACERT", "/does/not/exist")
	_, _, err = load(Options{})
	require.ErrorContains(t, err, "/does/not/exist")
}

func TestPrecedence(t *testing.T) {
	clean(t)
	dir := t.TempDir()
	conf := file(t, filepath.Join(dir, "cloud.conf"), "[Global]\nauth-url=http://conf\nuser-id=u\npassword=p\ntenant-id=p")
	t.Setenv("OS_CLIENT_CONFIG_FILE", file(t, filepath.Join(dir, "clouds.yaml"), "clouds: {a: {auth: {auth_url: 'http://yaml', user_id: u, password: p, project_id: p}}}"))
	t.Setenv("OS_AUTH_URL", "http://env")
	t.Setenv("OS_USER_ID", "u")
	t.Setenv("OS_PASSWORD", "p")
	t.Setenv("OS_PROJECT_ID", "p")
	for want, options := range map[string]Options{"http://conf": {CloudConfig: conf, Cloud: "a"}, "http://yaml": {Cloud: "a"}, "http://env": {}} {
		auth, _ := authOf(t, options)
		assert.Equal(t, want, auth.IdentityEndpoint)
	}
}
