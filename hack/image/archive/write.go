package archive

import (
	"archive/tar"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/layout"
)

// Annotations of an archive's index.json by which engines know the name: podman and skopeo the first, containerd and docker the second.
const (
	refName        = "org.opencontainers.image.ref.name"
	containerdName = "io.containerd.image.name"
)

// Write writes an index as one file, which is an OCI archive
// (https://github.com/opencontainers/image-spec/blob/main/image-layout.md), and for the first of its images also what "docker save"
// writes, for engines that know nothing else (docker before 25). scratch is a folder for its parts. reference is the image's name.
func Write(path, scratch string, index v1.ImageIndex, images []v1.Image, reference string, created time.Time) error {
	tag, err := name.NewTag(reference)
	if err != nil {
		return fmt.Errorf("name of the image: %w", err)
	}
	folder := filepath.Join(scratch, "layout")
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	parts, err := layout.Write(folder, empty.Index)
	if err != nil {
		return err
	}
	names := layout.WithAnnotations(map[string]string{refName: tag.TagStr(), containerdName: fullName(tag)})
	if err := parts.AppendIndex(index, names); err != nil {
		return err
	}
	manifest, err := dockerManifest(images[0], tag)
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(folder, "manifest.json"), manifest, 0o600); err != nil {
		return err
	}
	return packAll(folder, path, created)
}

// fullName is the name as containerd knows it. The library calls Docker Hub by its server's name.
func fullName(tag name.Tag) string {
	registry := tag.RegistryStr()
	if registry == name.DefaultRegistry {
		registry = "docker.io"
	}
	return registry + "/" + tag.RepositoryStr() + ":" + tag.TagStr()
}

// dockerManifest is the manifest.json of "docker save" for one image of a layout.
func dockerManifest(image v1.Image, tag name.Tag) ([]byte, error) {
	manifest, err := image.Manifest()
	if err != nil {
		return nil, err
	}
	blob := func(digest v1.Hash) string { return "blobs/" + digest.Algorithm + "/" + digest.Hex }
	var layers []string
	for _, descriptor := range manifest.Layers {
		layers = append(layers, blob(descriptor.Digest))
	}
	return json.Marshal([]any{map[string]any{"Config": blob(manifest.Config.Digest), "RepoTags": []string{tag.String()}, "Layers": layers}})
}

// packAll packs a layout into a tar file, as if everybody might read it and it was of this time.
func packAll(folder, path string, created time.Time) (err error) {
	file, err := os.Create(path)
	if err != nil {
		return err
	}
	writer := tar.NewWriter(file)
	defer func() { err = errors.Join(err, writer.Close(), file.Close()) }()
	return filepath.WalkDir(folder, func(path string, entry fs.DirEntry, err error) error {
		if err != nil || entry.IsDir() {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(folder, path)
		if err != nil {
			return err
		}
		return add(writer, path, filepath.ToSlash(relative), sameMode{info}, created)
	})
}

// sameMode is a file of a layout. Its mode says nothing.
type sameMode struct{ fs.FileInfo }

// Mode implements fs.FileInfo.
func (sameMode) Mode() fs.FileMode { return 0o644 }
