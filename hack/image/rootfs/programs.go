package rootfs

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path"
	"path/filepath"
)

// module is the product's, and the name of the program in its top folder.
const module = "cluster-autoscaler-openstack"

// versionVariable is what the programs read their version from (internal/build, whose test builds one in the same way).
const versionVariable = "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/build.stamped"

// packages are the programs of the image, by their folders. They go to the image's top folder, each by its package's name.
var packages = []string{".", "cmd/cluster-autoscaler-openstack-grpc"}

// ProgramNames are the names of the image's programs.
func ProgramNames() []string {
	names := make([]string, 0, len(packages))
	for _, folder := range packages {
		names = append(names, programName(folder))
	}
	return names
}

func programName(folder string) string {
	if folder == "." {
		return module
	}
	return path.Base(folder)
}

// BillPath is where a program's list of modules is in the image, a CycloneDX document.
func BillPath(program string) string { return "usr/share/sbom/" + program + ".cdx.json" }

// LicensePath is where the product's license is in the image.
const LicensePath = "usr/share/doc/" + module + "/LICENSE"

// writePrograms writes the programs, the license, and a list of modules for each program.
func writePrograms(ctx context.Context, dir string, options Options) error {
	if err := makeFolder(dir, folderMode); err != nil {
		return err
	}
	license, err := os.ReadFile(filepath.Join(options.Source, "LICENSE"))
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(dir, filepath.FromSlash(LicensePath)), license); err != nil {
		return err
	}
	for _, folder := range packages {
		name := programName(folder)
		program := filepath.Join(dir, name)
		if err := build(ctx, options, folder, program); err != nil {
			return fmt.Errorf("build %s for %s: %w", name, options.Arch, err)
		}
		bill, err := bill(program, options.Version, options.Created)
		if err != nil {
			return fmt.Errorf("list of the modules of %s: %w", name, err)
		}
		if err := writeFile(filepath.Join(dir, filepath.FromSlash(BillPath(name))), bill); err != nil {
			return err
		}
	}
	return nil
}

// build builds a static program. Whatever of the builder's settings would change its bytes is set here.
func build(ctx context.Context, options Options, folder, program string) error {
	// The tag keeps all other clouds' providers, and their libraries, out of cluster-autoscaler.
	command := exec.CommandContext(ctx, "go", "build", "-tags=externalgrpc", "-trimpath", "-buildvcs=false", "-ldflags=-s -w -X "+versionVariable+"="+options.Version, "-o", program, "./"+folder)
	command.Dir = options.Source
	command.Env = append(os.Environ(), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+options.Arch, "GOFLAGS=", "GOWORK=off",
		"GOEXPERIMENT=", "GOAMD64=v1", "GOARM64=v8.0", "GOFIPS140=off")
	output, err := command.CombinedOutput()
	if err != nil {
		return errors.Join(err, errors.New(string(output)))
	}
	return os.Chmod(program, programMode)
}
