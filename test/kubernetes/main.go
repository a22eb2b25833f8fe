// Command kubernetes is a whole Kubernetes in one file: etcd, kube-apiserver, kube-controller-manager, kube-scheduler,
// kubelet, kubeadm and kubectl, each as a sub-command that takes the flags of the program it is named after; "machine",
// which behaves like a virtual machine that boots into a Kubernetes node; and "firstboot", which is the part of that before
// the kubelet starts. Under a link with the name of a program it is that program.
//
// It is what the end-to-end tests and the demo run against. It is one binary because seven would each link, and hold on
// disk, most of the same packages.
package main

import (
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	// Pods and schedules may name time zones, and the machine we run on may have no zone files.
	_ "time/tzdata"

	"go.etcd.io/etcd/server/v3/etcdmain"
	"k8s.io/component-base/cli"
	_ "k8s.io/component-base/logs/json/register"
	_ "k8s.io/component-base/metrics/prometheus/clientgo"
	_ "k8s.io/component-base/metrics/prometheus/version"
	kubectl "k8s.io/kubectl/pkg/cmd"
	kubectlutil "k8s.io/kubectl/pkg/cmd/util"
	apiserver "k8s.io/kubernetes/cmd/kube-apiserver/app"
	controllermanager "k8s.io/kubernetes/cmd/kube-controller-manager/app"
	scheduler "k8s.io/kubernetes/cmd/kube-scheduler/app"
	kubeadm "k8s.io/kubernetes/cmd/kubeadm/app"
	kubelet "k8s.io/kubernetes/cmd/kubelet/app"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/kubernetes/machine"
)

// programs maps a name to what runs it; the result is the exit code. Each reads os.Args as if it were alone.
var programs = map[string]func() int{
	"etcd":                    runEtcd,
	"kube-apiserver":          func() int { return cli.Run(apiserver.NewAPIServerCommand()) },
	"kube-controller-manager": func() int { return cli.Run(controllermanager.NewControllerManagerCommand()) },
	"kube-scheduler":          func() int { return cli.Run(scheduler.NewSchedulerCommand()) },
	"kubelet":                 func() int { return cli.Run(kubelet.NewKubeletCommand()) },
	"kubeadm":                 runKubeadm,
	"kubectl":                 runKubectl,
	"machine":                 func() int { return cli.Run(machine.NewCommand()) },
	"firstboot":               func() int { return cli.Run(machine.NewFirstBootCommand()) },
}

func main() {
	name := filepath.Base(os.Args[0])
	if _, known := programs[name]; !known && len(os.Args) > 1 {
		os.Args = os.Args[1:]
		name = os.Args[0]
	}
	run, known := programs[name]
	if !known {
		names := slices.Sorted(maps.Keys(programs))
		fmt.Fprintf(os.Stderr, "usage: kubernetes {%s} flags...\n", strings.Join(names, "|"))
		os.Exit(2)
	}
	os.Exit(run())
}

func runEtcd() int {
	etcdmain.Main(os.Args)
	return 0
}

func runKubeadm() int {
	if err := kubeadm.Run(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		return 1
	}
	return 0
}

func runKubectl() int {
	// CheckErr prints in kubectl's own form and exits with its code.
	kubectlutil.CheckErr(cli.RunNoErrOutput(kubectl.NewDefaultKubectlCommand()))
	return 0
}
