package world

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"strings"
)

// magnumSize is the size parameter of Magnum's stacks.
const magnumSize = "number_of_minions"

// createMagnum orders a stack of Magnum's shape, tagged as docs/how-to/migrate-from-magnum.md says.
func (w *World) createMagnum(ctx context.Context, spec GroupSpec) (*Group, error) {
	const machineFile = "magnum-machine.yaml"
	dir := filepath.Join(w.base.Root, "test", "e2e", "testdata")
	template, err := os.ReadFile(filepath.Join(dir, "magnum.yaml"))
	if err != nil {
		return nil, err
	}
	machine, err := os.ReadFile(filepath.Join(dir, machineFile))
	if err != nil {
		return nil, err
	}
	tags := append([]string{enabledTag, w.clusterTag(), "bootstrap-token-source=minted"},
		"size-parameter="+magnumSize, "removal-parameter=minions_to_remove", "flavor-parameter=minion_flavor")
	for key, value := range w.annotations(spec) {
		tags = append(tags, key+"="+strings.ReplaceAll(value, ",", ";"))
	}
	return w.order(ctx, spec, map[string]any{
		"stack_name": w.stackName(spec.Name), "template": string(template), "files": map[string]string{machineFile: string(machine)},
		"tags": strings.Join(tags, ","), "timeout_mins": 10,
		"parameters": map[string]any{
			magnumSize: 0, "master_flavor": w.Cloud.Flavor, "minion_flavor": w.Cloud.Flavor, "minion_image": w.Cloud.Image,
			"fixed_network": w.Cloud.Network, "node_labels": fmt.Sprintf("%s=%s", worldLabel, w.Name),
		},
	})
}

// minions are the servers of the group by their index, which Magnum's names end with.
func (g *Group) minions(all []Server) map[string]Server {
	byIndex := map[string]Server{}
	for _, server := range all {
		if index, ok := strings.CutPrefix(server.Name, g.Name+"-node-"); ok {
			byIndex[index] = server
		}
	}
	return byIndex
}
