package catalog

import (
	"fmt"
	"os"
	"path/filepath"

	"sigs.k8s.io/yaml"
)

// Source says where a package's parts are.
type Source struct {
	// Folder holds manifest.yaml. The class, stack.yaml, and the logo, logo.png, are in the folder above it.
	Folder string
	// Template is the Heat template.
	Template string
}

// Manifest is a package's manifest.yaml, as far as it is needed here.
type Manifest struct {
	Format      string            `json:"Format"`
	Type        string            `json:"Type"`
	FullName    string            `json:"FullName"`
	Version     string            `json:"Version"`
	Name        string            `json:"Name"`
	Description string            `json:"Description"`
	Author      string            `json:"Author"`
	Classes     map[string]string `json:"Classes"`
	UI          string            `json:"UI"`
	Tags        []string          `json:"Tags"`
	Logo        string            `json:"Logo"`
}

// Sizes are the parameters that are the autoscaler's: they are no part of the form, and a deployment sends them as they are.
var Sizes = []string{"node_count", "nodes_to_remove"}

// filled are the parameters that the autoscaler fills in if the form has left them empty.
var filled = []string{"api_server", "cluster_ca"}

// Build makes a package: the files in it by their paths.
func Build(source Source) (map[string][]byte, error) {
	manifestText, err := os.ReadFile(filepath.Join(source.Folder, "manifest.yaml"))
	if err != nil {
		return nil, err
	}
	var manifest Manifest
	if err := yaml.UnmarshalStrict(manifestText, &manifest, yaml.DisallowUnknownFields); err != nil {
		return nil, fmt.Errorf("manifest.yaml: %w", err)
	}
	above := filepath.Dir(filepath.Clean(source.Folder))
	class, err := os.ReadFile(filepath.Join(above, "stack.yaml")) //nolint:gosec // a file of the repository
	if err != nil {
		return nil, err
	}
	logo, err := os.ReadFile(filepath.Join(above, manifest.Logo)) //nolint:gosec // a file of the repository
	if err != nil {
		return nil, err
	}
	template, err := ReadTemplate(source.Template)
	if err != nil {
		return nil, err
	}
	class, err = fill(class, manifest, template)
	if err != nil {
		return nil, fmt.Errorf("stack.yaml: %w", err)
	}
	files := map[string][]byte{
		"manifest.yaml": manifestText,
		manifest.Logo:   logo,
		"Classes/" + manifest.Classes[manifest.FullName]: class,
		"Resources/template.yaml":                        template.Text,
		"UI/" + manifest.UI: form(manifest.FullName, manifest.Version, manifest.Description,
			template.groups(Sizes), template.Parameters),
	}
	for name, text := range template.Files {
		files["Resources/HotFiles/"+name] = text
	}
	return files, nil
}

// Sources are the packages of the repository at root: each folder of deploy/murano, with the template of that name in
// deploy/heat.
func Sources(root string) ([]Source, error) {
	manifests, err := filepath.Glob(filepath.Join(root, "deploy/murano/*/manifest.yaml"))
	if err != nil {
		return nil, err
	}
	if len(manifests) == 0 {
		return nil, fmt.Errorf("%s: no deploy/murano/*/manifest.yaml: not the repository's root", root)
	}
	sources := make([]Source, len(manifests))
	for i, manifest := range manifests {
		folder := filepath.Dir(manifest)
		sources[i] = Source{Folder: folder, Template: filepath.Join(root, "deploy/heat", filepath.Base(folder)+".yaml")}
	}
	return sources, nil
}
