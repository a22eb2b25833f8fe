//go:build chart

package chart

import (
	"context"
	"encoding/base64"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2/openstack/orchestration/v1/stacks"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
	simulator "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/openstack"
)

const (
	// patience is how long a newcomer may need from the first command to the node group that he sees.
	patience = 10 * time.Minute
	howTo    = "docs/how-to/install-with-helm.md"
)

// otherWays are commands of the pages that a newcomer who takes the chart does not need, by their beginnings, and what does them elsewhere.
var otherWays = map[string]string{
	"git clone":                       "the tests are in a clone",
	"cd cluster-autoscaler-openstack": "the tests are in a clone",
	"make image":                      "the programs of the image are run without it",
	"docker push":                     "there is no registry",
	"openstack application credential create": "the simulated cloud has a cloud.conf: test/docs/plays makes one in the real cloud",
}

// newcomer is somebody in a clone with a cluster, a cloud and the documentation.
type newcomer struct {
	*testing.T
	w *world.World
	// desk is the working directory, with the clone's files and a cloud.conf.
	desk string
	env  []string
}

// TestNewcomer plays the commands of README.md, "Install it in a minute", word by word in a cluster with two control plane nodes: the chart is installed and
// the node group is seen. Then it plays those of the how-to about the chart, to the removal.
func TestNewcomer(t *testing.T) {
	t.Parallel()
	n := newNewcomer(t)
	began := time.Now()
	n.play("README.md", "\n## Install it in a minute\n", "\n## ")
	require.Less(t, time.Since(began), patience)
	n.run("helm uninstall cluster-autoscaler-openstack -n kube-system --wait")
	n.run("kubectl -n kube-system delete secret cluster-autoscaler-openstack") // both pages make it

	page := n.read(howTo, "", "")
	values := regexp.MustCompile("(?s)```yaml\n(image: .*?)```").FindStringSubmatch(page)
	require.Len(t, values, 2, "the page's values.yaml")
	require.NoError(t, os.WriteFile(filepath.Join(n.desk, "values.yaml"), []byte(values[1]), 0o600))
	n.play(howTo, "", "")
	left, err := kubectl(t.Context(), "", "get", "deployments,secrets,clusterroles,apiservices", "-A", "-l", "app.kubernetes.io/instance="+name, "-o", "name")
	require.NoError(t, err)
	require.Empty(t, strings.TrimSpace(left))
}

func newNewcomer(t *testing.T) *newcomer {
	w, sim := newWorld(t, "newcomer", world.Options{NoCloudController: true})
	sim.AddImage(simulator.Image{Name: "ubuntu-24.04-kube-1.33"})
	n := &newcomer{T: t, w: w, desk: t.TempDir()}
	absolute, err := filepath.Abs(root)
	require.NoError(t, err)
	require.NoError(t, os.Symlink(filepath.Join(absolute, "deploy"), filepath.Join(n.desk, "deploy")))
	require.NoError(t, os.WriteFile(filepath.Join(n.desk, "cloud.conf"), []byte(sim.CloudConf("demo", "demo")), 0o600))
	ca, err := base64.StdEncoding.DecodeString(base.Cluster.CA)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(filepath.Join(n.desk, "ca.crt"), ca, 0o600))
	programs := t.TempDir()
	for program, line := range map[string]string{"kubectl": base.Kubernetes() + " kubectl", "helm": helmPath} {
		require.NoError(t, os.WriteFile(filepath.Join(programs, program), []byte("#!/bin/sh\nexec "+line+` "$@"`+"\n"), 0o700))
	}
	n.env = append(os.Environ(), "PATH="+programs+":"+os.Getenv("PATH"), "KUBECONFIG="+base.Cluster.Kubeconfig,
		"HELM_CACHE_HOME="+programs, "HELM_CONFIG_HOME="+programs, "HELM_DATA_HOME="+programs)
	n.makeControlPlane()
	return n
}

// makeControlPlane has two nodes made that are then called control plane nodes.
func (n *newcomer) makeControlPlane() {
	n.Helper()
	_, err := n.w.CreateGroup(n.Context(), world.GroupSpec{Name: "control", Min: 2, Max: 2})
	require.NoError(n, err)
	require.NoError(n, n.w.StartAutoscaler(n.Context()))
	waitForNodes(n.T, n.w, 2)
	nodes, err := n.w.Nodes(n.Context())
	require.NoError(n, err)
	for _, node := range nodes {
		n.run("kubectl label node " + node.Name + " node-role.kubernetes.io/control-plane=")
		n.run("kubectl taint node " + node.Name + " node-role.kubernetes.io/control-plane=:NoSchedule")
	}
	require.True(n, n.w.StopAutoscaler())
}

// read returns a page from one text to another.
func (n *newcomer) read(page, from, to string) string {
	n.Helper()
	text, err := os.ReadFile(filepath.Join(root, page))
	require.NoError(n, err)
	_, part, found := strings.Cut(string(text), from)
	require.True(n, found, from)
	if to != "" {
		part, _, found = strings.Cut(part, to)
		require.True(n, found, to)
	}
	return part
}

// play runs the commands of the shell blocks of a part of a page. After "helm install" the programs of the chart run, until the node group
// has been seen by the command that shows it.
func (n *newcomer) play(page, from, to string) {
	n.Helper()
	var running *installation
	skipped, seen := map[string]bool{}, false
	for _, m := range regexp.MustCompile("(?ms)^ *```sh\n(.*?)^ *```").FindAllStringSubmatch(n.read(page, from, to), -1) {
		text := strings.ReplaceAll(m[1], "\\\n", " ")
		for line := range strings.Lines(regexp.MustCompile(`(?m)(^| )#.*$| && `).ReplaceAllString(text, "\n")) {
			line = strings.TrimSpace(line)
			other := slices.IndexFunc(keys(otherWays), func(beginning string) bool { return strings.HasPrefix(line, beginning) })
			switch {
			case line == "":
			case other >= 0:
				skipped[keys(otherWays)[other]] = true
			case strings.HasPrefix(line, "openstack stack create "):
				n.createStack(strings.Fields(line)[3:])
			case strings.Contains(line, " cluster-autoscaler-status"):
				n.until(line, "workers")
				seen = true
			case strings.HasPrefix(line, "helm install "):
				n.run(line)
				running = start(n.T, "kube-system", name)
			case strings.HasPrefix(line, "helm ") && running != nil:
				running.stop()
				running = nil
				n.run(line)
			default:
				n.run(line)
			}
		}
	}
	if running != nil {
		running.stop()
	}
	require.True(n, seen, "%s does not say how the node group is seen", page)
	if page == "README.md" {
		require.Len(n, skipped, len(otherWays), "commands that README.md does not have: %v", skipped)
	}
}

func keys(of map[string]string) []string {
	var out []string
	for key := range of {
		out = append(out, key)
	}
	slices.Sort(out)
	return out
}

// run runs a line as the newcomer's shell does.
func (n *newcomer) run(line string) string {
	n.Helper()
	n.Logf("$ %s", line)
	out, err := n.try(n.Context(), line)
	require.NoError(n, err)
	return out
}

func (n *newcomer) try(ctx context.Context, line string) (string, error) {
	command := exec.CommandContext(ctx, "bash", "-c", line)
	command.Dir, command.Env = n.desk, n.env
	out, err := command.CombinedOutput()
	if err != nil {
		return "", fmt.Errorf("%s: %w: %s", line, err, out)
	}
	return string(out), nil
}

// until runs a line until it says something.
func (n *newcomer) until(line, word string) {
	n.Helper()
	n.Logf("$ %s", line)
	require.NoError(n, n.w.Until(n.Context(), stepTimeout, word+" in the output of "+line, func(ctx context.Context) error {
		out, err := n.try(ctx, line)
		if err == nil && !strings.Contains(out, word) {
			err = fmt.Errorf("it says: %s", out)
		}
		return err
	}))
}

// createStack does what "openstack stack create" does with these arguments.
func (n *newcomer) createStack(arguments []string) {
	n.Helper()
	options, parameters := stacks.CreateOpts{}, map[string]any{}
	for i := 0; i < len(arguments); i++ {
		switch arguments[i] {
		case "-t":
			i++
			text, err := os.ReadFile(filepath.Join(n.desk, arguments[i]))
			require.NoError(n, err)
			options.TemplateOpts = &stacks.Template{TE: stacks.TE{Bin: text}}
		case "--tags":
			i++
			options.Tags = strings.Split(arguments[i], ",")
		case "--parameter":
			i++
			key, value, _ := strings.Cut(arguments[i], "=")
			parameters[key] = value
		default:
			require.NotRegexp(n, "^-", arguments[i], "a flag that is not known here")
			options.Name = arguments[i]
		}
	}
	options.Parameters = parameters
	client, err := n.w.Cloud.Session.Orchestration(n.Context())
	require.NoError(n, err)
	require.NoError(n, stacks.Create(n.Context(), client, options).Err)
}
