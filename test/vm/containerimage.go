package vm

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"os"
	"path/filepath"
)

// ContainerImage is a container image of one static program and nothing else.
type ContainerImage struct {
	// References are the image's names.
	References []string
	// Program is the program's path on this computer. The image starts it unless a pod says otherwise.
	Program string
	// Commands are names by which pods may call the program as well.
	Commands []string
	// User is whom it runs as, such as 65532:65532; root if empty.
	User string
}

// commandFolder is where an image's commands are. It is also the path that kube-proxy's manifest names.
const commandFolder = "/usr/local/bin"

// write writes the image to path, as "docker save" would (https://github.com/moby/docker-image-spec: a manifest, a configuration
// and layers in a tar file), which "ctr images import" reads.
func (i ContainerImage) write(path string) error {
	text, err := os.ReadFile(i.Program)
	if err != nil {
		return err
	}
	program := "/" + filepath.Base(i.Program)
	files := []entry{{name: program[1:], text: text, mode: 0o755}}
	for _, command := range i.Commands {
		files = append(files, entry{name: commandFolder[1:] + "/" + command, target: program, mode: 0o777})
	}
	layer, err := tarFile(files...)
	if err != nil {
		return err
	}
	config, err := json.Marshal(map[string]any{
		"architecture": "amd64", "os": "linux",
		"config":  map[string]any{"Entrypoint": []string{program}, "User": i.User, "Env": []string{"PATH=" + commandFolder}},
		"rootfs":  map[string]any{"type": "layers", "diff_ids": []string{"sha256:" + digest(layer)}},
		"history": []any{map[string]any{"created_by": "test/vm"}},
	})
	if err != nil {
		return err
	}
	configName := digest(config) + ".json"
	manifest, err := json.Marshal([]any{map[string]any{"Config": configName, "RepoTags": i.References, "Layers": []string{"layer.tar"}}})
	if err != nil {
		return err
	}
	image, err := tarFile(
		entry{name: configName, text: config, mode: 0o644}, entry{name: "layer.tar", text: layer, mode: 0o644},
		entry{name: "manifest.json", text: manifest, mode: 0o644},
	)
	if err != nil {
		return err
	}
	return os.WriteFile(path, image, 0o644)
}

// entry is a file, or a symbolic link if it has a target.
type entry struct {
	name, target string
	text         []byte
	mode         int64
}

func tarFile(entries ...entry) ([]byte, error) {
	var buffer bytes.Buffer
	writer := tar.NewWriter(&buffer)
	for _, e := range entries {
		header := &tar.Header{Name: e.name, Size: int64(len(e.text)), Mode: e.mode}
		if e.target != "" {
			header.Typeflag, header.Linkname = tar.TypeSymlink, e.target
		}
		if err := writer.WriteHeader(header); err != nil {
			return nil, err
		}
		if _, err := writer.Write(e.text); err != nil {
			return nil, err
		}
	}
	err := writer.Close()
	return buffer.Bytes(), err
}

func digest(text []byte) string {
	sum := sha256.Sum256(text)
	return hex.EncodeToString(sum[:])
}
