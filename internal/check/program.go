package check

import (
	"context"
	"slices"
	"strconv"
	"strings"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
)

// program is the autoscaler as a Deployment in the cluster runs it.
type program struct {
	// name is the Deployment's, empty if none was found; err says why it could not be looked for.
	name           string
	err            error
	serviceAccount string
	wanted, ready  int32
	// core are the flags of the container in which cluster-autoscaler's loop runs, ours those of the one with the provider. Both are
	// the same in the embedded form.
	core, ours arguments
	// image is that of the loop's container. external: the loop is a stock one.
	image    string
	external bool
	// discovery and named are the values of --node-group-auto-discovery and --nodes.
	discovery, named []string
}

// NodeGroupFlags returns which stacks the autoscaler in a namespace takes for node groups: its --node-group-auto-discovery and --nodes.
// Both are empty if there is none. An error means that nobody knows whether there is one; the caller bounds the time.
func NodeGroupFlags(ctx context.Context, client kubernetes.Interface, namespace string) (discovery, named []string, err error) {
	p := findProgram(ctx, client, namespace)
	return p.discovery, p.named, p.err
}

// arguments are flags by their names.
type arguments map[string]string

// findProgram looks for the autoscaler among the Deployments of a namespace, by its flags: names and images are the operator's own.
func findProgram(ctx context.Context, client kubernetes.Interface, namespace string) *program {
	list, err := client.AppsV1().Deployments(namespace).List(ctx, metav1.ListOptions{})
	if err != nil {
		return &program{err: err}
	}
	for i := range list.Items {
		if p := programOf(&list.Items[i]); p != nil {
			return p
		}
	}
	return &program{}
}

func programOf(d *appsv1.Deployment) *program {
	p := &program{
		name: d.Name, serviceAccount: d.Spec.Template.Spec.ServiceAccountName, wanted: 1, ready: d.Status.ReadyReplicas,
	}
	if d.Spec.Replicas != nil {
		p.wanted = *d.Spec.Replicas
	}
	if p.serviceAccount == "" {
		p.serviceAccount = "default"
	}
	for _, c := range d.Spec.Template.Spec.Containers {
		words := slices.Concat(c.Command, c.Args)
		args := argumentsOf(words)
		discovers := strings.HasPrefix(args["node-group-auto-discovery"], "heat:")
		byName := args["nodes"] != "" && strings.Contains(c.Image, "cluster-autoscaler-openstack")
		switch {
		case args["cloud-provider"] == "externalgrpc":
			p.core, p.image, p.external = args, c.Image, true
		case discovers || byName:
			p.ours = args
			p.discovery, p.named = values(words, "node-group-auto-discovery"), values(words, "nodes")
			if p.core == nil {
				p.core, p.image = args, c.Image
			}
		}
	}
	if p.ours == nil {
		return nil
	}
	return p
}

// argumentsOf reads flags of the forms --name=value, --name value and --name.
func argumentsOf(words []string) arguments {
	args := arguments{}
	for i, word := range words {
		name, isFlag := strings.CutPrefix(word, "-")
		if !isFlag {
			continue
		}
		name = strings.TrimPrefix(name, "-")
		name, value, given := strings.Cut(name, "=")
		switch {
		case given:
		case i+1 < len(words) && !strings.HasPrefix(words[i+1], "-"):
			value = words[i+1]
		default:
			value = "true"
		}
		args[strings.ReplaceAll(name, "_", "-")] = value
	}
	return args
}

// values are all values of a flag that may be given more than once.
func values(words []string, name string) []string {
	var out []string
	for i, word := range words {
		if value, ok := strings.CutPrefix(word, "--"+name+"="); ok {
			out = append(out, value)
		} else if word == "--"+name && i+1 < len(words) {
			out = append(out, words[i+1])
		}
	}
	return out
}

// plain is a flag's value if it stands there. A value such as $(POD_NAMESPACE) is known in the pod only.
func (a arguments) plain(name string) string {
	if strings.Contains(a[name], "$(") {
		return ""
	}
	return a[name]
}

// isTrue reads a boolean flag.
func (a arguments) isTrue(name string, otherwise bool) bool {
	if value, err := strconv.ParseBool(a[name]); err == nil {
		return value
	}
	return otherwise
}

// duration reads a flag that is a time.
func (a arguments) duration(name string, otherwise time.Duration) time.Duration {
	if value, err := time.ParseDuration(a[name]); err == nil {
		return value
	}
	return otherwise
}

// number reads a flag that is a whole number.
func (a arguments) number(name string, otherwise int) int {
	if value, err := strconv.Atoi(a[name]); err == nil {
		return value
	}
	return otherwise
}
