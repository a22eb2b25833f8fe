// Package why explains: why a pod is pending, why a node stays, why a node group does not grow. It reads what the scheduler,
// cluster-autoscaler and the provider say, and checks with the scheduler's own library what can be checked without a scheduler.
package why

import (
	"context"
	"fmt"
	"io"

	"github.com/spf13/cobra"
	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/complete"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/sight"
)

// New returns the command.
func New(o *cli.Options) *cobra.Command {
	return &cobra.Command{
		Use:   "why POD|NODE|GROUP",
		Short: "Say why a pod is pending, why a node stays, or why a node group does not grow",
		Long: `Say why a pod is pending, why a node stays, or why a node group does not grow, in plain words: each reason with its remedy, the most likely one first.

What is asked about is guessed from its name; pod/NAMESPACE/NAME, pod/NAME, node/NAME and group/NAME say it. The scheduler is not run: what was
checked, and what was not, is told.`,
		Example: fmt.Sprintf("  %[1]s why shop-7d4b9c-x2x9p\n  %[1]s why pod/shop/shop-7d4b9c-x2x9p\n  %[1]s why node/workers-3\n  %[1]s why group/workers -o json", o.Program),
		Args:    cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			return run(cmd.Context(), o, args[0])
		},
		ValidArgsFunction: complete.Subjects(o),
	}
}

func run(ctx context.Context, o *cli.Options, argument string) error {
	namespace, err := o.Namespace()
	if err != nil {
		return err
	}
	asked, err := parse(argument, namespace)
	if err != nil {
		return err
	}
	reader, err := sight.Open(ctx, o)
	if err != nil {
		return err
	}
	defer reader.Close()
	seen, err := reader.Read(ctx)
	if err != nil {
		return err
	}
	found, err := asked.find(ctx, seen, reader.Cluster())
	if err != nil {
		seen.TellNotes(o.ErrOut)
		return err
	}
	f := &facts{Sight: seen, statusName: o.Autoscaler.Namespace + "/" + o.Autoscaler.ConfigMap}
	if err := f.read(ctx, reader.Cluster()); err != nil {
		return err
	}
	x, err := f.explain(ctx, reader, found)
	if err != nil {
		return err
	}
	x.TypeMeta = model.TypeMeta{APIVersion: cli.APIVersion, Kind: model.KindExplanation}
	x.Source = f.Source
	if x.Reasons == nil {
		x.Reasons = []Reason{}
	}
	if !o.IsStructured() {
		f.TellNotes(o.ErrOut)
	}
	return o.Print(x, func(out io.Writer) error { return write(out, f, &x) })
}

// explain asks for what only this subject needs, and explains it.
func (f *facts) explain(ctx context.Context, reader *sight.Reader, found subject) (Explanation, error) {
	switch {
	case found.pod != nil:
		said, err := f.said(reader.Cluster().Events(ctx, "Pod", found.pod.Namespace, found.pod.Name))
		if err != nil {
			return Explanation{}, err
		}
		if f.claims, err = reader.Cluster().Volumes(ctx, found.pod); f.lost(&err, zonesChecked) {
			return Explanation{}, err
		}
		return f.pod(found.pod, said), nil
	case found.node != nil:
		said, err := f.said(reader.Cluster().Events(ctx, "Node", "", found.node.Name))
		return f.node(found.node, said), err
	}
	return f.group(found.group), nil
}

// said keeps what scheduler, cluster-autoscaler and provider said, newest first.
func (f *facts) said(events []v1.Event, err error) ([]model.Event, error) {
	if apierrors.IsForbidden(err) {
		f.Source.Notes = append(f.Source.Notes, err.Error()+"; so what was said of it is not known")
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var said []model.Event
	for i := range events {
		e := sight.Shorten(&events[i])
		switch e.From {
		case "default-scheduler", "cluster-autoscaler", "cluster-autoscaler-openstack", "cluster-autoscaler-openstack-grpc":
			said = append(said, e)
		default:
			if e.Reason == "FailedScheduling" {
				said = append(said, e)
			}
		}
	}
	sight.SortEvents(said)
	return said, nil
}
