package world

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// deschedulerName is what its ServiceAccount and its ConfigMap are called in deploy/kubernetes/descheduler.yaml.
const deschedulerName = "descheduler"

// Descheduler is the real descheduler, with the rights and the policy of deploy/kubernetes/descheduler.yaml. It does not run by itself.
type Descheduler struct {
	// Policy is what it follows: the one of the ConfigMap, unless it is changed. Numbers are float64.
	Policy map[string]any

	binary, kubeconfig, dir, selector string
	runs                              int
}

// DeschedulerManifest is what users apply to have a descheduler.
func (b *Base) DeschedulerManifest() string {
	return filepath.Join(b.Root, "deploy", "kubernetes", "descheduler.yaml")
}

// Descheduler prepares a descheduler for the world's nodes. The manifest has been applied (Cluster.ApplyRules), and the program was
// built with the base (BaseOptions.Descheduler).
func (w *World) Descheduler(ctx context.Context) (*Descheduler, error) {
	if w.base.descheduler == "" {
		return nil, errors.New("the base was started without a descheduler")
	}
	d := &Descheduler{binary: w.base.descheduler, dir: filepath.Dir(w.kubeconfig)}
	d.kubeconfig = filepath.Join(d.dir, "descheduler.conf")
	if err := w.base.Cluster.AccountKubeconfig(ctx, metav1.NamespaceSystem, deschedulerName, d.kubeconfig); err != nil {
		return nil, fmt.Errorf("the descheduler's credentials: %w", err)
	}
	config, err := w.base.Cluster.Client.CoreV1().ConfigMaps(metav1.NamespaceSystem).Get(ctx, deschedulerName, metav1.GetOptions{})
	if err != nil {
		return nil, err
	}
	if err := yaml.UnmarshalStrict([]byte(config.Data["policy.yaml"]), &d.Policy); err != nil {
		return nil, fmt.Errorf("the descheduler's policy: %w", err)
	}
	d.selector = worldLabel + "=" + w.Name
	return d, nil
}

// Confine lets it look at the nodes of its world only: those of others that share the control plane are none of its business.
func (d *Descheduler) Confine() { d.Policy["nodeSelector"] = d.selector }

// Argument is an argument that the policy gives to a plugin, or nil.
func (d *Descheduler) Argument(plugin, name string) any { return d.arguments(plugin)[name] }

// SetArgument changes an argument of a plugin that the policy configures.
func (d *Descheduler) SetArgument(plugin, name string, value any) { d.arguments(plugin)[name] = value }

// arguments are those of a plugin in the only profile of the policy; nil if the policy does not configure it.
func (d *Descheduler) arguments(plugin string) map[string]any {
	profiles, _ := d.Policy["profiles"].([]any)
	for _, profile := range profiles {
		configs, _ := profile.(map[string]any)["pluginConfig"].([]any)
		for _, config := range configs {
			if config := config.(map[string]any); config["name"] == plugin {
				arguments, _ := config["args"].(map[string]any)
				return arguments
			}
		}
	}
	return nil
}

// deschedulerTimeout bounds one run, which takes a second on an idle computer.
const deschedulerTimeout = time.Minute

// Run lets it look once, as the CronJob does, with its flags and those given here.
func (d *Descheduler) Run(ctx context.Context, flags ...string) (*Descheduling, error) {
	policy, err := yaml.Marshal(d.Policy)
	if err != nil {
		return nil, err
	}
	d.runs++
	path := filepath.Join(d.dir, fmt.Sprintf("policy-%d.yaml", d.runs))
	if err := os.WriteFile(path, policy, 0o600); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, deschedulerTimeout)
	defer cancel()
	// Nobody asks it for metrics or its health, so it needs no port.
	arguments := append([]string{
		"--policy-config-file=" + path, "--v=3", "--client-connection-kubeconfig=" + d.kubeconfig, "--secure-port=0", "--logging-format=json",
	}, flags...)
	log, err := process.Run(ctx, process.Options{}, d.binary, arguments...)
	if err != nil {
		return nil, err
	}
	return readDescheduling(log)
}

// Descheduling is what a run of the descheduler says it has done.
type Descheduling struct {
	// Evicted are the pods that it evicted (or would have, with --dry-run), with the nodes that they were on.
	Evicted map[string]string
	// Refused are those that it wanted to evict and a PodDisruptionBudget kept.
	Refused []string
	// AtLimit: it would have gone on but for a limit of the policy.
	AtLimit bool
	// Low and High are the numbers of nodes below all thresholds, and above a target threshold.
	Low, High int
	// Log is all that it said.
	Log string
}

// entry is a line of the descheduler's log.
type entry struct {
	Message string `json:"msg"`
	Error   string `json:"err"`
	Pod     struct{ Name string }
	Node    json.RawMessage `json:"node"`
	Limit   int             `json:"limit"`
	Number  int             `json:"totalNumber"`
	Evicted *int            `json:"totalEvicted"`
}

// readDescheduling reads what a run has logged. A run that did not come to its end is an error, and so is one whose own count is
// another than that of the lines that were understood here.
func readDescheduling(log []byte) (*Descheduling, error) {
	d := &Descheduling{Evicted: map[string]string{}, Log: string(log)}
	evicted := -1
	for line := range bytes.Lines(log) {
		var e entry
		if !bytes.HasPrefix(line, []byte("{")) || json.Unmarshal(line, &e) != nil {
			continue
		}
		switch e.Message {
		case "Evicted pod", "Evicted pod in dry run mode":
			d.Evicted[e.Pod.Name] = strings.Trim(string(e.Node), `"`)
		case "Error evicting pod":
			d.AtLimit = d.AtLimit || e.Limit > 0
			if strings.Contains(e.Error, "disruption budget") {
				d.Refused = append(d.Refused, e.Pod.Name)
			}
		case "Number of underutilized nodes":
			d.Low = e.Number
		case "Number of overutilized nodes":
			d.High = e.Number
		case "Number of evictions/requests":
			if e.Evicted != nil {
				evicted = *e.Evicted
			}
		}
	}
	if evicted != len(d.Evicted) {
		return nil, fmt.Errorf("the descheduler counts %d evicted pods, and names %d; its log:\n%s", evicted, len(d.Evicted), log)
	}
	return d, nil
}
