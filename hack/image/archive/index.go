package archive

import (
	"bytes"
	"encoding/json"
	"fmt"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/types"
	digest "github.com/opencontainers/go-digest"
	"github.com/opencontainers/image-spec/specs-go"
	spec "github.com/opencontainers/image-spec/specs-go/v1"
)

// plainIndex is an index that is written as the specification's own Go types are. Engines that are built on them (skopeo, podman)
// write an index anew when they copy it: only one that looks so already keeps its digest, which users compare.
type plainIndex struct {
	of   v1.ImageIndex
	text []byte
}

// plain writes an index as the specification's types are.
func plain(index v1.ImageIndex) (v1.ImageIndex, error) {
	manifest, err := index.IndexManifest()
	if err != nil {
		return nil, err
	}
	out := spec.Index{Versioned: specs.Versioned{SchemaVersion: 2}, MediaType: spec.MediaTypeImageIndex, Annotations: manifest.Annotations}
	for _, one := range manifest.Manifests {
		if one.Platform == nil {
			return nil, fmt.Errorf("image %s is of no platform", one.Digest)
		}
		out.Manifests = append(out.Manifests, spec.Descriptor{
			MediaType: string(one.MediaType), Digest: digest.Digest(one.Digest.String()), Size: one.Size,
			Platform: &spec.Platform{Architecture: one.Platform.Architecture, OS: one.Platform.OS},
		})
	}
	text, err := json.Marshal(out)
	return plainIndex{of: index, text: text}, err
}

// RawManifest implements v1.ImageIndex.
func (i plainIndex) RawManifest() ([]byte, error) { return i.text, nil }

// IndexManifest implements v1.ImageIndex.
func (i plainIndex) IndexManifest() (*v1.IndexManifest, error) {
	return v1.ParseIndexManifest(bytes.NewReader(i.text))
}

// Digest implements v1.ImageIndex.
func (i plainIndex) Digest() (v1.Hash, error) {
	hash, _, err := v1.SHA256(bytes.NewReader(i.text))
	return hash, err
}

// Size implements v1.ImageIndex.
func (i plainIndex) Size() (int64, error) { return int64(len(i.text)), nil }

// MediaType implements v1.ImageIndex.
func (plainIndex) MediaType() (types.MediaType, error) { return types.OCIImageIndex, nil }

// Image implements v1.ImageIndex.
func (i plainIndex) Image(digest v1.Hash) (v1.Image, error) { return i.of.Image(digest) }

// ImageIndex implements v1.ImageIndex.
func (i plainIndex) ImageIndex(digest v1.Hash) (v1.ImageIndex, error) { return i.of.ImageIndex(digest) }
