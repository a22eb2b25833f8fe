// Package archive packs folders into a container image for several platforms, and that into one file that docker, podman,
// containerd and skopeo read. The same files give the same digest.
package archive

import (
	"fmt"
	"maps"
	"path/filepath"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/hack/image/recipe"
)

// createdAnnotation says when an image was made. The others are the labels of the Dockerfile: registries show annotations, engines labels.
const createdAnnotation = "org.opencontainers.image.created"

// Image makes the image of one architecture from the recipe's layers, which are folders in dir. What it packs goes to scratch.
func Image(dir, scratch, arch string, of *recipe.Recipe, created time.Time) (v1.Image, error) {
	image, err := mutate.ConfigFile(mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON), &v1.ConfigFile{
		Architecture: arch, OS: "linux", Created: v1.Time{Time: created}, Config: of.Config, RootFS: v1.RootFS{Type: "layers"},
	})
	if err != nil {
		return nil, err
	}
	for _, name := range of.Layers {
		packed, err := layer(filepath.Join(dir, name), filepath.Join(scratch, arch+"-"+name+".tar.gz"), created)
		if err != nil {
			return nil, err
		}
		image, err = mutate.Append(image, mutate.Addendum{
			Layer: packed, MediaType: types.OCILayer,
			History: v1.History{Created: v1.Time{Time: created}, CreatedBy: "hack/image: the folder " + name},
		})
		if err != nil {
			return nil, err
		}
	}
	annotated, ok := mutate.Annotations(image, annotations(of, created)).(v1.Image)
	if !ok {
		return nil, fmt.Errorf("an annotated image is no image")
	}
	return annotated, nil
}

// Index makes one image of the images of several architectures, in their order.
func Index(images []v1.Image, of *recipe.Recipe, created time.Time) (v1.ImageIndex, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, image := range images {
		config, err := image.ConfigFile()
		if err != nil {
			return nil, err
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{
			MediaType: types.OCIManifestSchema1, Platform: &v1.Platform{OS: config.OS, Architecture: config.Architecture},
		}})
	}
	annotated, ok := mutate.Annotations(index, annotations(of, created)).(v1.ImageIndex)
	if !ok {
		return nil, fmt.Errorf("an annotated index is no index")
	}
	return plain(annotated)
}

func annotations(of *recipe.Recipe, created time.Time) map[string]string {
	out := maps.Clone(of.Config.Labels)
	out[createdAnnotation] = created.UTC().Format(time.RFC3339)
	return out
}
