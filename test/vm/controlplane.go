package vm

import (
	"context"
	"fmt"
	"path"
	"slices"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// controlPlanePrograms are the control plane's programs that are part of test/kubernetes.
var controlPlanePrograms = []string{"kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd"}

// ControlPlaneImages are the container images that kubeadm wants on a control plane of this version, under the names that it
// asks for, as no registry is reached here. They are made of test/kubernetes; for kube-proxy and CoreDNS, which are not in it,
// the program pause stands in.
func ControlPlaneImages(ctx context.Context, kubernetes, pause, version string) ([]ContainerImage, error) {
	// With a version it does not look for one in the network.
	output, err := process.Run(ctx, process.Options{}, kubernetes, "kubeadm", "config", "images", "list", "--kubernetes-version="+version)
	if err != nil {
		return nil, err
	}
	played := ContainerImage{Program: pause, Commands: []string{"kube-proxy"}, User: nobody}
	whole := ContainerImage{Program: kubernetes, Commands: controlPlanePrograms}
	for reference := range strings.Lines(string(output)) {
		reference = strings.TrimSpace(reference)
		if strings.ContainsAny(reference, " \t") {
			continue // a warning
		}
		name, _, _ := strings.Cut(path.Base(reference), ":")
		if slices.Contains(controlPlanePrograms, name) {
			whole.References = append(whole.References, reference)
		} else {
			played.References = append(played.References, reference)
		}
	}
	if len(whole.References) != len(controlPlanePrograms) {
		return nil, fmt.Errorf("kubeadm does not want the images that were expected, but %q", output)
	}
	return []ContainerImage{whole, played}, nil
}
