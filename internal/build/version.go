// Package build tells which build of the project a program is.
package build

import (
	"fmt"
	"runtime"
	"runtime/debug"
)

// Variable is the name of stamped for the linker: -ldflags "-X NAME=v1.2.3".
const Variable = "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/build.stamped"

// stamped is the version that whoever built the program gave it, as the build of the container image does.
var stamped string

// Unknown is the version of a program that was built from sources without any.
const Unknown = "unknown"

// Version is the version that the program was given when it was built, else what the Go tool knows of it (the module's version,
// or the commit), else Unknown.
func Version() string {
	if stamped != "" {
		return stamped
	}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return Unknown
	}
	return of(info)
}

func of(info *debug.BuildInfo) string {
	if v := info.Main.Version; v != "" && v != "(devel)" {
		return v
	}
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			return s.Value
		}
	}
	return Unknown
}

// Line introduces a program in one line, as --version prints it. core is the cluster-autoscaler inside, empty for none.
func Line(program, core string) string {
	if core != "" {
		core = "cluster-autoscaler " + core + ", "
	}
	return fmt.Sprintf("%s %s (%s%s, %s/%s)", program, Version(), core, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
