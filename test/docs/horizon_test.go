package docs

import (
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"sigs.k8s.io/yaml"
)

// chooseable are the constraints for which Horizon's launch form has a list to choose from. A parameter with any other
// custom_constraint gets an empty list, and the form can't be sent (heat-dashboard, content/stacks/forms.py,
// _populate_custom_choices).
var chooseable = []string{"nova.flavor", "glance.image", "neutron.network", "nova.keypair"}

// The tutorial tells how to launch the cluster by Horizon's form.
func TestHorizonsFormCanBeSent(t *testing.T) {
	for _, file := range []string{"deploy/heat/cluster.yaml", "deploy/heat/nodegroup.yaml"} {
		var template struct {
			Parameters map[string]struct {
				Constraints []map[string]any `json:"constraints"`
			} `json:"parameters"`
		}
		require.NoError(t, yaml.Unmarshal([]byte(readFile(t, file)), &template), file)
		require.NotEmpty(t, template.Parameters, file)
		for name, parameter := range template.Parameters {
			for _, constraint := range parameter.Constraints {
				kind, isCustom := constraint["custom_constraint"].(string)
				switch {
				case !isCustom:
				case !slices.Contains(chooseable, kind):
					t.Errorf("%s: Horizon can't fill in %s, because of its custom_constraint %s: use allowed_pattern", file, name, kind)
				case kind == "neutron.network" && strings.HasPrefix(name, "external"):
					// openstack_dashboard/api/neutron.py, network_list_for_tenant: include_external is False by default.
					t.Errorf("%s: Horizon's list for %s holds the project's networks and shared ones, and no external one: leave out the custom_constraint", file, name)
				}
			}
		}
	}
}
