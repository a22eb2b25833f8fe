// Command murano writes the application packages for Murano, OpenStack's application catalog, to a folder.
//
// Usage: go run ./hack/murano FOLDER
//
// With -logo it draws their logo anew, deploy/murano/logo.png, instead.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/hack/murano/catalog"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: murano FOLDER")
		os.Exit(2)
	}
	do := write
	if os.Args[1] == "-logo" {
		do = func(string) error { return writeLogo(logoPath) }
	}
	if err := do(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "murano:", err)
		os.Exit(1)
	}
}

const logoPath = "deploy/murano/logo.png"

func writeLogo(path string) error {
	logo, err := drawLogo()
	if err != nil {
		return err
	}
	return os.WriteFile(path, logo, 0o644) //nolint:gosec // a logo is for everybody
}

// write builds every package, from the repository's root.
func write(folder string) error {
	if err := os.MkdirAll(folder, 0o755); err != nil { //nolint:gosec // packages are for everybody
		return err
	}
	sources, err := catalog.Sources(".")
	if err != nil {
		return err
	}
	for _, source := range sources {
		files, err := catalog.Build(source)
		if err != nil {
			return fmt.Errorf("%s: %w", source.Folder, err)
		}
		archive, err := catalog.Zip(files)
		if err != nil {
			return fmt.Errorf("%s: %w", source.Folder, err)
		}
		path := filepath.Join(folder, "murano-"+filepath.Base(source.Folder)+".zip")
		if err := os.WriteFile(path, archive, 0o644); err != nil { //nolint:gosec // packages are for everybody
			return err
		}
		fmt.Printf("%s: %d files, %d bytes\n", path, len(files), len(archive))
	}
	return nil
}
