package tool_test

import (
	"bytes"
	"context"
	"encoding/base64"
	"encoding/json"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/cli-runtime/pkg/genericiooptions"
	"k8s.io/client-go/kubernetes/scheme"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

// apiServer is as much of one as check, scale and credential ask: what is in objects by path, and nothing else.
type apiServer struct {
	mu      sync.Mutex
	objects map[string]any
	// writes are the methods and paths of all writes, "(dry)" if they were dry runs.
	writes []string
	// losing are the paths of which the answer to a write is an error; refusing those that are not even written.
	losing, refusing map[string]bool
}

func (a *apiServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	a.mu.Lock()
	defer a.mu.Unlock()
	w.Header().Set("Content-Type", "application/json")
	body := bodyOf(r)
	dry := r.URL.Query().Get("dryRun") == "All"
	if r.Method != http.MethodGet && !dry && a.refusing[r.URL.Path] {
		fail(w, http.StatusInternalServerError, "InternalError")
		return
	}
	switch {
	case strings.HasSuffix(r.URL.Path, "/subjectaccessreviews"):
		spec, _ := body["spec"].(map[string]any)
		attributes, _ := spec["resourceAttributes"].(map[string]any)
		body["status"] = map[string]any{"allowed": attributes["subresource"] != "nodeclient"}
		w.WriteHeader(http.StatusCreated)
		_ = json.NewEncoder(w).Encode(body)
	case r.Method == http.MethodGet:
		if object, ok := a.objects[r.URL.Path]; ok {
			_ = json.NewEncoder(w).Encode(object)
			return
		}
		fail(w, http.StatusNotFound, "NotFound")
	default:
		what := r.Method + " " + r.URL.Path
		if dry {
			what += " (dry)"
		} else {
			meta, _ := body["metadata"].(map[string]any)
			name, _ := meta["name"].(string)
			a.objects[strings.TrimSuffix(r.URL.Path, "/"+name)+"/"+name] = body
		}
		a.writes = append(a.writes, what)
		if !dry && a.losing[r.URL.Path] {
			fail(w, http.StatusInternalServerError, "InternalError")
			return
		}
		_ = json.NewEncoder(w).Encode(body)
	}
}

func fail(w http.ResponseWriter, code int, reason string) {
	w.WriteHeader(code)
	_ = json.NewEncoder(w).Encode(map[string]any{"kind": "Status", "apiVersion": "v1", "status": "Failure", "reason": reason, "code": code})
}

// bodyOf is a request's body as JSON; the client sends protobuf.
func bodyOf(r *http.Request) map[string]any {
	raw, _ := io.ReadAll(r.Body)
	body := map[string]any{}
	if object, _, err := scheme.Codecs.UniversalDeserializer().Decode(raw, nil, nil); err == nil {
		if text, err := json.Marshal(object); err == nil {
			_ = json.Unmarshal(text, &body)
		}
	}
	if kind := r.URL.Path[strings.LastIndexByte(r.URL.Path, '/')+1:]; kind == "subjectaccessreviews" {
		body["kind"], body["apiVersion"] = "SubjectAccessReview", "authorization.k8s.io/v1"
	} else {
		body["kind"], body["apiVersion"] = "Secret", "v1"
	}
	return body
}

type scene struct {
	*testing.T
	sim     *simulator.Simulator
	cluster *apiServer
	flags   []string
}

// deployments is where the autoscaler's Deployment is looked for.
const deployments = "/apis/apps/v1/namespaces/kube-system/deployments"

func newScene(t *testing.T) *scene {
	t.Helper()
	s := &scene{T: t, sim: simulator.New(simulator.Options{PatchTime: -1, Timing: &simulator.Timing{}}), cluster: &apiServer{objects: map[string]any{}}}
	require.NoError(t, s.sim.Start("127.0.0.1:0"))
	t.Cleanup(s.sim.Close)
	template, err := os.ReadFile("../../test/openstack/testdata/flat.yaml")
	require.NoError(t, err)
	_, err = s.sim.CreateStack("demo", simulator.StackSpec{
		Name: "workers", Template: string(template), Tags: []string{"cluster-autoscaler-enabled", "node-group-max-size=5", "graceful-shutdown-time=1m"},
	})
	require.NoError(t, err)
	for range 1000 {
		wait, ok := s.sim.NextEvent()
		if !ok {
			break
		}
		s.sim.FastForward(max(wait, time.Millisecond))
	}
	var nodes []any
	for _, server := range s.sim.Servers() {
		nodes = append(nodes, map[string]any{"metadata": map[string]any{"name": server.Name}, "spec": map[string]any{"providerID": "openstack:///" + server.ID}})
	}
	s.cluster.objects["/api/v1/nodes"] = map[string]any{"kind": "NodeList", "apiVersion": "v1", "items": nodes}
	s.cluster.objects[deployments] = map[string]any{"kind": "DeploymentList", "apiVersion": "apps/v1", "items": []any{}}
	s.cluster.objects["/version"] = map[string]any{"major": "1", "minor": "33", "gitVersion": "v1.33.2"}
	server := httptest.NewServer(s.cluster)
	t.Cleanup(server.Close)
	kubeconfig := filepath.Join(t.TempDir(), "kubeconfig")
	require.NoError(t, os.WriteFile(kubeconfig, []byte(`{apiVersion: v1, kind: Config, current-context: a, contexts: [{name: a, context: {cluster: a, user: a}}],
clusters: [{name: a, cluster: {server: "`+server.URL+`"}}], users: [{name: a, user: {}}]}`), 0o600))
	s.Setenv("KUBECONFIG", kubeconfig)
	s.signIn([]byte(s.sim.CloudsYAML("demo", "demo")), "simulator")
	return s
}

func (s *scene) signIn(clouds []byte, entry string) {
	s.Helper()
	file := filepath.Join(s.TempDir(), "clouds.yaml")
	require.NoError(s, os.WriteFile(file, clouds, 0o600))
	s.Setenv("OS_CLIENT_CONFIG_FILE", file)
	s.flags = []string{"--cloud=" + entry}
}

func (s *scene) run(args ...string) (code int, out, errs string) {
	s.Helper()
	var stdout bytes.Buffer
	code, errs = s.runTo(&stdout, args...)
	return code, stdout.String(), errs
}

func (s *scene) runTo(stdout io.Writer, args ...string) (code int, errs string) {
	s.Helper()
	var stderr bytes.Buffer
	ctx, cancel := context.WithTimeout(s.Context(), time.Minute)
	defer cancel()
	code = tool.Run(ctx, tool.Plugin, append(args, s.flags...), genericiooptions.IOStreams{In: strings.NewReader(""), Out: stdout, ErrOut: &stderr})
	return code, stderr.String()
}

func TestCredentialThenCheck(t *testing.T) {
	s := newScene(t)
	code, out, errs := s.run("check", "credentials", "access")
	require.Zero(t, code, errs)
	assert.Contains(t, out, "kubectl openstack-nodegroups credential", "a password is more than is needed")

	code, _, errs = s.run("credential")
	assert.Equal(t, 2, code)
	assert.Contains(t, errs, "--secret=NAME")
	code, out, _ = s.run("credential", "--dry-run")
	require.Zero(t, code)
	assert.Contains(t, out, "PATCH")
	assert.Empty(t, s.cluster.writes)

	file := filepath.Join(t.TempDir(), "least.yaml")
	code, out, errs = s.run("credential", "--file="+file, "--secret=openstack", "-n", "kube-system", "--name=one", "--lifetime=2160h")
	require.Zero(t, code, errs)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	info, err := os.Stat(file)
	require.NoError(t, err)
	assert.Equal(t, os.FileMode(0o600), info.Mode())
	_, rest, _ := strings.Cut(string(text), "application_credential_secret: ")
	secret := strings.Fields(rest)[0]
	assert.NotContains(t, out+errs, secret, "the secret is not told")
	assert.Contains(t, out, "Secret kube-system/openstack, key cloud.conf")
	assert.Equal(t, []string{"POST /api/v1/namespaces/kube-system/secrets (dry)", "POST /api/v1/namespaces/kube-system/secrets"}, s.cluster.writes)
	data := s.cluster.objects["/api/v1/namespaces/kube-system/secrets/openstack"].(map[string]any)["data"].(map[string]any)
	conf, err := base64.StdEncoding.DecodeString(data["cloud.conf"].(string))
	require.NoError(t, err)
	assert.Contains(t, string(conf), secret)

	// A second one of that name, or into that file, is not made.
	code, _, errs = s.run("credential", "--file="+file, "--name=two")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "--overwrite")

	s.signIn(text, "openstack")
	code, out, errs = s.run("check", "-o", "json", "credentials", "access", "quotas", "stacks")
	require.Zero(t, code, errs)
	var report struct {
		Kind     string
		Counts   map[string]int
		Findings []struct{ Check, Status, Thing, Found string }
	}
	require.NoError(t, json.Unmarshal([]byte(out), &report))
	assert.Equal(t, "CheckReport", report.Kind)
	assert.Zero(t, report.Counts["fail"], out)
	for _, f := range report.Findings {
		if f.Check == "access" {
			assert.Equal(t, "ok", f.Status, "%+v", f)
		}
	}
	code, _, errs = s.run("credential", "--show")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "sign in with a user's name and password")
}

func TestShowPrintsWhatWorks(t *testing.T) {
	s := newScene(t)
	code, out, errs := s.run("credential", "--show", "--lifetime=0")
	require.Zero(t, code, errs)
	s.signIn([]byte(out), "openstack")
	code, _, errs = s.run("check", "access")
	assert.Zero(t, code, errs)
}

func TestCheckTellsAFailureByItsExitCode(t *testing.T) {
	s := newScene(t)
	s.sim.Inject(simulator.Fault{Service: simulator.Glance, Status: 503})
	code, out, errs := s.run("check", "endpoints")
	assert.Equal(t, 1, code)
	assert.Empty(t, errs)
	assert.Contains(t, out, "What to do:")
	code, _, errs = s.run("check", "nothing")
	assert.Equal(t, 2, code)
	assert.Contains(t, errs, `there is no check "nothing"`)
	s.flags = nil
	code, out, _ = s.run("check", "credentials", "quotas")
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "--cloud=ENTRY")
	assert.Contains(t, out, "skipped")
}

func TestScaleOnlyRehearses(t *testing.T) {
	s := newScene(t)
	code, _, errs := s.run("scale", "workers", "3")
	assert.Equal(t, 2, code)
	assert.Contains(t, errs, "sizes belong to the autoscaler")

	code, out, errs := s.run("scale", "workers", "3", "--dry-run")
	require.Zero(t, code, errs)
	assert.Contains(t, out, `PATCH parameters: {"node_count":3}`)
	assert.Contains(t, out, "new members: 2")
	assert.Contains(t, out, "The project's quotas allow it.")

	code, out, _ = s.run("scale", "workers", "1", "--dry-run", "--node", "workers-0")
	require.Zero(t, code)
	assert.Contains(t, out, `"nodes_to_remove":["0"]`)

	code, out, _ = s.run("scale", "workers", "9", "--dry-run", "-o", "yaml")
	assert.Equal(t, 1, code, "above the maximum")
	assert.Contains(t, out, "possible: false")
	assert.Zero(t, s.sim.CountCalls(simulator.Heat, "PATCH"), "nothing was sent")

	s.sim.SetQuota("demo", simulator.Quota{Instances: 2, Cores: -1, RAMMiB: -1, Ports: -1})
	code, out, _ = s.run("scale", "workers", "3", "--dry-run")
	assert.Equal(t, 1, code)
	assert.Contains(t, out, "Not possible: quota of instances: 1 are needed and 0 of 2 are left")
}

// Which stacks are node groups is never guessed where the Deployment that says so can't be read.
func TestTheWrongStacksAreNotLookedAt(t *testing.T) {
	s := newScene(t)
	delete(s.cluster.objects, deployments)
	code, out, errs := s.run("scale", "workers", "3", "--dry-run")
	assert.Equal(t, 1, code)
	assert.Empty(t, out)
	assert.Contains(t, errs, "the autoscaler's Deployment can't be read; give --node-group-auto-discovery")
	_, out, _ = s.run("check", "stacks", "--output=json")
	assert.Contains(t, out, "the autoscaler's Deployment can't be read")
	code, _, errs = s.run("credential", "--dry-run")
	assert.Zero(t, code)
	assert.Contains(t, errs, "No node groups are known (which stacks are node groups is not known: the autoscaler's Deployment can't be read")
	code, _, errs = s.run("scale", "workers", "3", "--dry-run", "--node-group-auto-discovery=heat:tag=cluster-autoscaler-enabled")
	assert.Zero(t, code, errs)
}

// A name that is given is the one that is looked at; without it the Deployment's counts.
func TestCheckTakesTheStatusThatIsNamed(t *testing.T) {
	s := newScene(t)
	s.cluster.objects[deployments] = map[string]any{"kind": "DeploymentList", "apiVersion": "apps/v1", "items": []any{map[string]any{
		"metadata": map[string]any{"name": "autoscaler"},
		"spec": map[string]any{"template": map[string]any{"spec": map[string]any{"containers": []any{map[string]any{
			"args": []string{"--node-group-auto-discovery=heat:tag=cluster-autoscaler-enabled", "--status-config-map-name=of-the-deployment"}}}}}},
	}}}
	_, out, _ := s.run("check", "autoscaler")
	assert.Contains(t, out, "status kube-system/of-the-deployment")
	_, out, _ = s.run("check", "autoscaler", "--status-config-map-name=mine")
	assert.Contains(t, out, "status kube-system/mine")
	_, out, _ = s.run("check", "autoscaler", "--status-config-map-name=cluster-autoscaler-status")
	assert.Contains(t, out, "status kube-system/cluster-autoscaler-status", "also if it is the default")
}
