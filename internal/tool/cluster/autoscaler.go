package cluster

import (
	"context"
	"fmt"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
)

// selectors are the labels of the autoscaler's pods: those of the Helm chart and those of deploy/kubernetes.
var selectors = []string{"app.kubernetes.io/name=cluster-autoscaler-openstack", "app=cluster-autoscaler-openstack"}

// StatusPortName is how a container calls the port at which it serves its status.
const StatusPortName = "status"

// Autoscaler is what the autoscaler's pods say of it.
type Autoscaler struct {
	// Pods are its running pods; none if there are none in this cluster.
	Pods []v1.Pod
	// Flags are the flags of all containers of the first one, by name without dashes.
	Flags Flags
}

// Autoscaler finds the autoscaler's pods.
func (r *Reader) Autoscaler(ctx context.Context) (*Autoscaler, error) {
	tried := selectors
	if r.autoscaler.Selector != "" {
		tried = []string{r.autoscaler.Selector}
	}
	for _, selector := range tried {
		list, err := r.client.CoreV1().Pods(r.autoscaler.Namespace).List(ctx, metav1.ListOptions{LabelSelector: selector})
		if err != nil {
			return nil, cli.Explain(fmt.Sprintf("list pods in namespace %q", r.autoscaler.Namespace), err)
		}
		running := slices.DeleteFunc(list.Items, func(p v1.Pod) bool { return p.DeletionTimestamp != nil || p.Status.Phase != v1.PodRunning })
		if len(running) > 0 {
			return &Autoscaler{Pods: running, Flags: flagsOf(&running[0])}, nil
		}
	}
	return &Autoscaler{Flags: Flags{}}, nil
}

// stockImage is how images of cluster-autoscaler itself are called, such as registry.k8s.io/autoscaling/cluster-autoscaler:v1.33.5.
var stockImage = regexp.MustCompile(`(?:^|/)cluster-autoscaler(?:-amd64|-arm64|-s390x)?:v?1\.(\d+)\.\d`)

// StockMinor is the minor version of the stock cluster-autoscaler that the pods run, as the tag of its image says; false if they run
// none, or the tag does not say it.
func (a *Autoscaler) StockMinor() (minor int, known bool) {
	if len(a.Pods) == 0 {
		return 0, false
	}
	for i := range a.Pods[0].Spec.Containers {
		if found := stockImage.FindStringSubmatch(a.Pods[0].Spec.Containers[i].Image); found != nil {
			minor, err := strconv.Atoi(found[1])
			return minor, err == nil
		}
	}
	return 0, false
}

// StatusPort is the port at which the pod serves the autoscaler's status, 0 if it does not.
func StatusPort(pod *v1.Pod) int {
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		if address := (flagsOfContainer(c)).Last("status-address"); address != "" {
			_, port, err := net.SplitHostPort(address)
			if number, errNumber := strconv.Atoi(port); err == nil && errNumber == nil {
				return number
			}
		}
		for _, port := range c.Ports {
			if port.Name == StatusPortName {
				return int(port.ContainerPort)
			}
		}
	}
	return 0
}

// FetchStatus reads path from the status port of a pod, through the API server.
func (r *Reader) FetchStatus(ctx context.Context, pod *v1.Pod, port int, path string) ([]byte, error) {
	body, err := r.client.CoreV1().Pods(pod.Namespace).ProxyGet("http", pod.Name, strconv.Itoa(port), path, nil).DoRaw(ctx)
	if err != nil {
		return nil, cli.Explain(fmt.Sprintf("get pods/proxy in namespace %q (port %d of pod %q)", pod.Namespace, port, pod.Name), err)
	}
	return body, nil
}

// Flags are command line flags by name, each with all its values.
type Flags map[string][]string

// flagsOf gathers the flags of all containers: in external mode cluster-autoscaler's own are in another one than the provider's.
func flagsOf(pod *v1.Pod) Flags {
	all := Flags{}
	for i := range pod.Spec.Containers {
		for name, values := range flagsOfContainer(&pod.Spec.Containers[i]) {
			all[name] = append(all[name], values...)
		}
	}
	return all
}

func flagsOfContainer(c *v1.Container) Flags {
	return ParseFlags(slices.Concat(c.Command, c.Args))
}

// ParseFlags reads --name=value, --name value and --name, which is true.
func ParseFlags(arguments []string) Flags {
	flags := Flags{}
	for i, argument := range arguments {
		if !strings.HasPrefix(argument, "-") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimLeft(argument, "-"), "=")
		if !ok {
			value = "true"
			if i+1 < len(arguments) && !strings.HasPrefix(arguments[i+1], "-") {
				value = arguments[i+1]
			}
		}
		name = strings.ReplaceAll(name, "_", "-")
		flags[name] = append(flags[name], value)
	}
	return flags
}

// Last is the value that holds, empty if the flag is not given.
func (f Flags) Last(name string) string {
	values := f[name]
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// Duration is a flag's value, or what it is without the flag.
func (f Flags) Duration(name string, without time.Duration) time.Duration {
	if d, err := time.ParseDuration(f.Last(name)); err == nil {
		return d
	}
	return without
}

// Float is a flag's value, or what it is without the flag.
func (f Flags) Float(name string, without float64) float64 {
	if x, err := strconv.ParseFloat(f.Last(name), 64); err == nil {
		return x
	}
	return without
}

// Int is a flag's value, or what it is without the flag.
func (f Flags) Int(name string, without int) int {
	if n, err := strconv.Atoi(f.Last(name)); err == nil {
		return n
	}
	return without
}

// Bool is a flag's value, or what it is without the flag.
func (f Flags) Bool(name string, without bool) bool {
	if b, err := strconv.ParseBool(f.Last(name)); err == nil {
		return b
	}
	return without
}
