package vm

import (
	"context"
	"crypto/rand"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/machines"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// metadataVersions are the folders below openstack/ that Nova writes, each a copy with what its time knew, "latest" last
// (nova/api/metadata/base.py, OPENSTACK_VERSIONS). Older than the first, which cloud-init would not choose, are left out.
var metadataVersions = []string{"2015-10-15", "2016-06-30", "2016-10-06", "2017-02-22", "2018-08-27", "2020-10-14", "latest"}

// configDrive is the files of a server's config drive by their paths, as Nova lays them out
// (nova/api/metadata/base.py, metadata_for_config_drive).
func configDrive(server machines.Server, network *Network) (map[string][]byte, error) {
	seed := make([]byte, 512)
	_, _ = rand.Read(seed) // never fails
	metadata := map[string]any{
		"uuid": server.ID, "name": server.Name, "hostname": strings.ToLower(server.Name), "launch_index": 0,
		"availability_zone": server.Zone, "project_id": server.ProjectID, "random_seed": base64.StdEncoding.EncodeToString(seed),
		"devices": []any{}, "dedicated_cpus": []any{},
	}
	if len(server.Metadata) > 0 {
		metadata["meta"] = server.Metadata
	}
	texts := map[string]any{
		"meta_data.json": metadata, "network_data.json": networkData(server, network), "vendor_data.json": map[string]any{},
		"vendor_data2.json": map[string]any{"static": map[string]any{}},
	}
	each := map[string][]byte{}
	for name, value := range texts {
		text, err := json.Marshal(value)
		if err != nil {
			return nil, err
		}
		each[name] = text
	}
	if len(server.UserData) > 0 {
		each["user_data"] = server.UserData
	}
	files := map[string][]byte{}
	for _, version := range metadataVersions {
		for name, text := range each {
			files["openstack/"+version+"/"+name] = text
		}
	}
	return files, nil
}

// networkData describes the server's port (nova/virt/netutils.py, get_network_metadata).
func networkData(server machines.Server, network *Network) map[string]any {
	link := "tap" + server.ID[:min(11, len(server.ID))]
	return map[string]any{
		"links": []any{map[string]any{"id": link, "vif_id": server.ID, "type": "ovs", "mtu": 1500, "ethernet_mac_address": server.MAC}},
		"networks": []any{map[string]any{
			"id": "network0", "type": "ipv4", "link": link, "network_id": server.ProjectID,
			"ip_address": server.Address, "netmask": network.Netmask,
			"routes":   []any{map[string]any{"network": "0.0.0.0", "netmask": "0.0.0.0", "gateway": network.Gateway}},
			"services": []any{},
		}},
		"services": []any{},
	}
}

// writeConfigDrive makes the config drive as a file system image, with the program and the label that Nova uses
// (nova/virt/configdrive.py). Work files go to dir.
func writeConfigDrive(ctx context.Context, path, dir string, files map[string][]byte) error {
	tree, err := os.MkdirTemp(dir, "config-drive-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tree)
	for name := range maps.Keys(files) {
		target := filepath.Join(tree, filepath.FromSlash(name))
		if err := os.MkdirAll(filepath.Dir(target), 0o700); err != nil {
			return err
		}
		if err := os.WriteFile(target, files[name], 0o600); err != nil {
			return err
		}
	}
	if _, err := process.Run(ctx, process.Options{}, "genisoimage", "-o", path, "-ldots", "-allow-lowercase", "-allow-multidot", "-l",
		"-publisher", "OpenStack Nova", "-quiet", "-J", "-r", "-V", "config-2", tree); err != nil {
		return fmt.Errorf("config drive: %w", err)
	}
	return os.Chmod(path, 0o600)
}
