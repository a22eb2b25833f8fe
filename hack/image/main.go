// Command image builds the container image with nothing but Go: the files (package rootfs), the last stage of the Dockerfile (package
// recipe), and a file that every engine reads (package archive). "make image" runs it; the Dockerfile runs it with -files.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/hack/image/archive"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/hack/image/recipe"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/hack/image/rootfs"
)

type settings struct {
	source, out, files      string
	name, version, revision string
	architectures           []string
	created                 time.Time
	stdout                  *os.File
}

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	s, err := parse()
	if err == nil {
		err = run(ctx, s)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "image:", err)
		os.Exit(1) //nolint:gocritic // the process ends, and with it what stop would release
	}
}

func parse() (*settings, error) {
	s := &settings{stdout: os.Stdout}
	var architectures string
	flag.StringVar(&s.source, "source", "../..", "the repository's top folder")
	flag.StringVar(&s.out, "out", "", "folder for the image: an archive for all architectures, its digest, lists of modules")
	flag.StringVar(&s.files, "files", "", "make only the image's files, for one architecture, in this folder")
	flag.StringVar(&s.name, "name", "cluster-autoscaler-openstack:dev", "the image's name")
	flag.StringVar(&s.version, "version", "dev", "the product's version")
	flag.StringVar(&s.revision, "revision", "unknown", "the commit")
	flag.StringVar(&architectures, "arch", "amd64,arm64", "architectures")
	flag.Parse()
	s.architectures = strings.Split(architectures, ",")
	if (s.out == "") == (s.files == "") {
		return nil, errors.New("give one of -out and -files")
	}
	if s.files != "" && len(s.architectures) != 1 {
		return nil, errors.New("-files needs one architecture, such as -arch=amd64")
	}
	if s.version == "" || s.revision == "" {
		return nil, errors.New("-version or -revision is empty; they come from git, and outside of a clone you give them: make image VERSION=v1 REVISION=ID SOURCE_DATE_EPOCH=SECONDS")
	}
	// https://reproducible-builds.org/specs/source-date-epoch/
	seconds, err := strconv.ParseInt(os.Getenv("SOURCE_DATE_EPOCH"), 10, 64)
	if os.Getenv("SOURCE_DATE_EPOCH") != "" && err != nil {
		return nil, fmt.Errorf("SOURCE_DATE_EPOCH=%q: give seconds since 1970, such as $(git log -1 --format=%%ct)", os.Getenv("SOURCE_DATE_EPOCH"))
	}
	s.created = time.Unix(seconds, 0).UTC()
	return s, nil
}

func run(ctx context.Context, s *settings) error {
	if s.files != "" {
		return rootfs.Write(ctx, s.files, s.forFiles(s.architectures[0]))
	}
	dockerfile, err := os.ReadFile(filepath.Join(s.source, "Dockerfile"))
	if err != nil {
		return err
	}
	of, err := recipe.Read(dockerfile, map[string]string{"VERSION": s.version, "REVISION": s.revision})
	if err != nil {
		return err
	}
	scratch, err := os.MkdirTemp("", "image-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	if err := os.MkdirAll(s.out, 0o755); err != nil {
		return err
	}
	return s.make(ctx, of, scratch)
}

func (s *settings) forFiles(arch string) rootfs.Options {
	return rootfs.Options{Source: s.source, Arch: arch, Version: s.version, Created: s.created}
}

func (s *settings) make(ctx context.Context, of *recipe.Recipe, scratch string) error {
	var images []v1.Image
	for _, arch := range s.architectures {
		folder := filepath.Join(scratch, arch)
		if err := rootfs.Write(ctx, folder, s.forFiles(arch)); err != nil {
			return err
		}
		image, err := archive.Image(folder, scratch, arch, of, s.created)
		if err != nil {
			return err
		}
		if err := s.copyBills(folder, arch); err != nil {
			return err
		}
		images = append(images, image)
	}
	index, err := archive.Index(images, of, s.created)
	if err != nil {
		return err
	}
	path := filepath.Join(s.out, "cluster-autoscaler-openstack.tar")
	if err := archive.Write(path, scratch, index, images, s.name, s.created); err != nil {
		return err
	}
	return s.report(path, index, images)
}

// copyBills copies the lists of modules beside the archive, for who wants to read them without unpacking.
func (s *settings) copyBills(folder, arch string) error {
	for _, program := range rootfs.ProgramNames() {
		inside := rootfs.BillPath(program)
		text, err := os.ReadFile(filepath.Join(folder, rootfs.Programs, filepath.FromSlash(inside)))
		if err != nil {
			return err
		}
		target := filepath.Join(s.out, "sbom", arch, filepath.Base(inside))
		if err := errors.Join(os.MkdirAll(filepath.Dir(target), 0o755), os.WriteFile(target, text, 0o644)); err != nil {
			return err
		}
	}
	return nil
}

// report says what was made, and writes the digest to a file.
func (s *settings) report(path string, index v1.ImageIndex, images []v1.Image) error {
	digest, err := index.Digest()
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(s.out, "digest"), []byte(digest.String()+"\n"), 0o644); err != nil {
		return err
	}
	fmt.Fprintf(s.stdout, "%s\n  name    %s\n  digest  %s\n  built   by %s, as of %s\n", path, s.name, digest, runtime.Version(), s.created.Format(time.RFC3339))
	for i, image := range images {
		packed, unpacked, err := archive.Sizes(image)
		if err != nil {
			return err
		}
		own, err := image.Digest()
		if err != nil {
			return err
		}
		fmt.Fprintf(s.stdout, "  %-7s %s, %.1f MB to pull, %.1f MB unpacked\n", s.architectures[i], own, megabytes(packed), megabytes(unpacked))
	}
	return nil
}

func megabytes(bytes int64) float64 { return float64(bytes) / 1e6 }
