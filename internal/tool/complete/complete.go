// Package complete tells the shell what an argument may be.
package complete

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cluster"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/sight"
)

// patience is how long a shell is kept waiting.
const patience = 5 * time.Second

// most is how many pods and nodes are offered.
const most = 500

// Function is what cobra calls for the completion of an argument.
type Function = func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective)

// Groups completes names of node groups that are not there yet.
func Groups(o *cli.Options) Function {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		ctx, cancel := begin(cmd, o)
		defer cancel()
		return offer(groups(ctx, o), args, toComplete)
	}
}

// Subjects completes what "why" may be asked about: pods of the namespace, nodes, node groups, and their explicit forms.
func Subjects(o *cli.Options) Function {
	return func(cmd *cobra.Command, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
		if len(args) > 0 {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		ctx, cancel := begin(cmd, o)
		defer cancel()
		kind, _, explicit := strings.Cut(toComplete, "/")
		var words []string
		if !explicit || kind == "group" {
			words = append(words, prefixed("group/", groups(ctx, o), explicit)...)
		}
		if !explicit || kind == "node" {
			words = append(words, prefixed("node/", nodes(ctx, o), explicit)...)
		}
		if !explicit || kind == "pod" {
			words = append(words, prefixed("pod/", pods(ctx, o, explicit), explicit)...)
		}
		return offer(words, args, toComplete)
	}
}

// begin bounds the time. Flags have been parsed by cobra; what is wrong with them gives no words.
func begin(cmd *cobra.Command, o *cli.Options) (context.Context, context.CancelFunc) {
	_ = o.Check()
	ctx := cmd.Context()
	if ctx == nil {
		ctx = context.Background()
	}
	return context.WithTimeout(o.Context(ctx), patience)
}

// offer keeps the words that begin right and are not given yet.
func offer(words, args []string, toComplete string) ([]string, cobra.ShellCompDirective) {
	words = slices.DeleteFunc(words, func(w string) bool { return !strings.HasPrefix(w, toComplete) || slices.Contains(args, w) })
	slices.Sort(words)
	return slices.Compact(words), cobra.ShellCompDirectiveNoFileComp
}

func prefixed(prefix string, words []string, explicit bool) []string {
	if !explicit {
		return words
	}
	out := make([]string, 0, len(words))
	for _, w := range words {
		out = append(out, prefix+w)
	}
	return out
}

// groups takes the names from cluster-autoscaler's status, which is one call; only without it from the cloud.
func groups(ctx context.Context, o *cli.Options) []string {
	client, err := o.Client()
	if err != nil {
		return nil
	}
	var names []string
	if core, err := cluster.New(client, o.Autoscaler).Core(ctx); err == nil && core != nil {
		for i := range core.Groups {
			names = append(names, core.Groups[i].Name)
		}
	}
	if len(names) > 0 {
		return names
	}
	reader, err := sight.Open(ctx, o)
	if err != nil {
		return nil
	}
	defer reader.Close()
	seen, err := reader.Read(ctx)
	if err != nil {
		return nil
	}
	for i := range seen.Groups {
		names = append(names, seen.Groups[i].Name)
	}
	return names
}

func nodes(ctx context.Context, o *cli.Options) []string {
	client, err := o.Client()
	if err != nil {
		return nil
	}
	list, err := client.CoreV1().Nodes().List(ctx, metav1.ListOptions{Limit: most})
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(list.Items))
	for i := range list.Items {
		names = append(names, list.Items[i].Name)
	}
	return names
}

// pods are those of the namespace, pending ones only unless a pod is asked for by pod/.
func pods(ctx context.Context, o *cli.Options, withNamespace bool) []string {
	client, err := o.Client()
	if err != nil {
		return nil
	}
	namespace, err := o.Namespace()
	if err != nil {
		return nil
	}
	list, err := client.CoreV1().Pods(namespace).List(ctx, metav1.ListOptions{Limit: most, FieldSelector: "status.phase=Pending"})
	if err != nil {
		return nil
	}
	names := make([]string, 0, len(list.Items))
	for i := range list.Items {
		name := list.Items[i].Name
		if withNamespace {
			name = namespace + "/" + name
		}
		names = append(names, name)
	}
	return names
}
