// Package binaries builds the programs that the end-to-end tests and the demo run, and keeps them for the next time.
package binaries

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// KubernetesVersion is the version that the control plane and the nodes report; that of the modules in test/kubernetes.
const KubernetesVersion = "v1.33.13"

// Builder builds programs of the repository that it finds itself in.
type Builder struct {
	// Root is the repository's top folder.
	Root string
	// Cache is where the programs go that are not made of this repository's code, such as Kubernetes'. All clones of a user share it. The
	// others go into the clone (.out/programs), so that tests in two of them, side by side, do not run one another's code.
	Cache string
}

// New finds the repository round the working directory and a cache folder.
func New() (*Builder, error) {
	root, err := findRoot()
	if err != nil {
		return nil, err
	}
	cache, err := findCache()
	if err != nil {
		return nil, err
	}
	return &Builder{Root: root, Cache: cache}, nil
}

// Kubernetes builds test/kubernetes and returns the program's path. The first time takes minutes (about 13 of processor
// time), later ones a second.
func (b *Builder) Kubernetes(ctx context.Context) (string, error) {
	component, client := "k8s.io/component-base/version", "k8s.io/client-go/pkg/version"
	stamps := fmt.Sprintf("-s -w -X %[1]s.gitVersion=%[3]s -X %[1]s.gitMajor=1 -X %[1]s.gitMinor=33 -X %[1]s.gitTreeState=clean -X %[2]s.gitVersion=%[3]s",
		component, client, KubernetesVersion)
	return b.build(ctx, filepath.Join(b.Cache, "kubernetes"), filepath.Join(b.Root, "test", "kubernetes"), ".", "-ldflags", stamps)
}

// Autoscaler builds the product and returns the program's path.
func (b *Builder) Autoscaler(ctx context.Context) (string, error) {
	// The tag keeps all other clouds' providers, and their libraries, out of the program.
	return b.buildOwn(ctx, "cluster-autoscaler-openstack", ".", "-tags", "externalgrpc", "-ldflags", "-s -w")
}

// External builds the product's gRPC server and a stock cluster-autoscaler, and returns their paths.
func (b *Builder) External(ctx context.Context) (server, stock string, err error) {
	const name = "cluster-autoscaler-openstack-grpc"
	server, err = b.buildOwn(ctx, name, "./cmd/"+name, "-tags", "externalgrpc", "-ldflags", "-s -w")
	if err != nil {
		return "", "", err
	}
	stock, err = b.buildOwn(ctx, "stock-cluster-autoscaler", "./test/e2e/stock", "-tags", "externalgrpc", "-ldflags", "-s -w")
	return server, stock, err
}

// Plugin builds the operator's tool, the plugin of kubectl, and returns the program's path.
func (b *Builder) Plugin(ctx context.Context) (string, error) {
	const name = "kubectl-openstack_nodegroups"
	return b.buildOwn(ctx, name, "./cmd/"+name, "-ldflags", "-s -w")
}

// Helm builds helm, which is a tool of the module test/chart/helm, and returns the program's path. As in helm's releases (its Makefile), the
// version of Kubernetes that it takes without a cluster is that of its libraries.
func (b *Builder) Helm(ctx context.Context) (string, error) {
	const util, rules = "helm.sh/helm/v3/pkg/chartutil", "helm.sh/helm/v3/pkg/lint/rules"
	stamps := fmt.Sprintf("-s -w -X %[1]s.k8sVersionMajor=1 -X %[1]s.k8sVersionMinor=33 -X %[2]s.k8sVersionMajor=1 -X %[2]s.k8sVersionMinor=33", util, rules)
	return b.build(ctx, filepath.Join(b.Cache, "helm"), filepath.Join(b.Root, "test", "chart", "helm"), "helm.sh/helm/v3/cmd/helm", "-ldflags", stamps)
}

// DeschedulerVersion is the descheduler's release in test/descheduler. Go's module proxy does not serve those between 0.30 and 0.36.
const DeschedulerVersion = "v0.36.0"

// Descheduler builds the descheduler, which is a tool of the module test/descheduler, and returns the program's path. The first time
// takes minutes.
func (b *Builder) Descheduler(ctx context.Context) (string, error) {
	// Its version in the form that its own images have; it compares it with the cluster's.
	stamps := "-s -w -X sigs.k8s.io/descheduler/pkg/version.version=v20260101-" + DeschedulerVersion
	return b.build(ctx, filepath.Join(b.Cache, "descheduler"), filepath.Join(b.Root, "test", "descheduler"), "sigs.k8s.io/descheduler/cmd/descheduler", "-ldflags", stamps)
}

// buildOwn builds a program of the repository's own module.
func (b *Builder) buildOwn(ctx context.Context, name, pkg string, arguments ...string) (string, error) {
	return b.build(ctx, filepath.Join(b.Root, ".out", "programs", name), b.Root, pkg, arguments...)
}

// build runs go build in the folder of a module, which does nothing if the program is as new as its sources. Only one at a time of a
// user's: go test runs packages in parallel, and two linkers side by side need 5 GB.
func (b *Builder) build(ctx context.Context, path, dir, pkg string, arguments ...string) (string, error) {
	for _, folder := range []string{b.Cache, filepath.Dir(path)} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return "", err
		}
	}
	unlock, err := lock(ctx, filepath.Join(b.Cache, "build.lock"))
	if err != nil {
		return "", err
	}
	defer unlock()
	arguments = append([]string{"build", "-C", dir, "-trimpath", "-buildvcs=false", "-o", path}, arguments...)
	env := []string{"CGO_ENABLED=0", "GOFLAGS=", "GOWORK=off"}
	for _, variable := range []string{"GOCACHE", "GOMODCACHE", "GOPATH", "GOPROXY", "GONOSUMDB", "GOTOOLCHAIN", "HTTPS_PROXY", "https_proxy", "SSL_CERT_FILE"} {
		if value, ok := os.LookupEnv(variable); ok {
			env = append(env, variable+"="+value)
		}
	}
	if _, err := process.Run(ctx, process.Options{Env: env}, "go", append(arguments, pkg)...); err != nil {
		return "", fmt.Errorf("build %s: %w", filepath.Base(path), err)
	}
	return path, nil
}

// findRoot looks for the product's go.mod in the working directory and above: tests run in their package's folder.
func findRoot() (string, error) {
	dir, err := os.Getwd()
	if err != nil {
		return "", err
	}
	for {
		_, err := os.Stat(filepath.Join(dir, "test", "kubernetes", "go.mod"))
		if err == nil {
			return dir, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return "", err
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return "", errors.New("not inside the repository: no test/kubernetes/go.mod here or above")
		}
		dir = parent
	}
}

// findCache is E2E_CACHE, else a folder among the user's caches, else (no home, as in some containers) a temporary one.
func findCache() (string, error) {
	if dir := os.Getenv("E2E_CACHE"); dir != "" {
		return filepath.Abs(dir)
	}
	const name = "cluster-autoscaler-openstack-e2e"
	if dir, err := os.UserCacheDir(); err == nil {
		return filepath.Join(dir, name), nil
	}
	return filepath.Join(os.TempDir(), fmt.Sprintf("%s-%d", name, os.Getuid())), nil
}

// lock takes a lock that other processes respect and that ends with this process.
func lock(ctx context.Context, path string) (unlock func(), err error) {
	file, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, err
	}
	locked := make(chan error, 1)
	go func() { locked <- syscall.Flock(int(file.Fd()), syscall.LOCK_EX) }()
	select {
	case err := <-locked:
		return func() { _ = file.Close() }, err
	case <-ctx.Done():
		// The goroutine keeps waiting for the lock; closing the file is left to the end of the process.
		return nil, fmt.Errorf("wait for another build to finish (%s): %w", path, ctx.Err())
	}
}
