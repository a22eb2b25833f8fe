package main

import (
	"errors"
	"fmt"
	"os"
	"strings"
)

// heatFolder holds the Heat templates.
const heatFolder = "/deploy/heat/"

// nodeWithPort takes the place of the server in nodegroup.yaml: a nested stack that holds a port too.
const nodeWithPort = `      resource_def:
        type: node-with-port.yaml
        properties:
          name:
            list_join: ['-', [{if: [has_prefix, {get_param: node_name_prefix}, {get_param: 'OS::stack_name'}]}, '%index%']]
          flavor: {get_param: flavor}
          image: {get_param: image}
          boot_volume_size: {get_param: boot_volume_size}
          network: {get_param: network}
          networks: {get_param: networks}
          subnet: {get_param: subnet}
          allowed_addresses: {get_param: allowed_addresses}
          port_security: {get_param: port_security}
          vnic_type: {get_param: vnic_type}
          security_groups: {get_param: security_groups}
          availability_zone: {get_param: availability_zone}
          server_group: {if: [makes_server_group, {get_resource: node_spread}, {get_param: server_group}]}
          key_name: {get_param: key_name}
          config_drive: {get_param: config_drive}
          server_tags: {get_param: server_tags}
`

const portGroup = `- label: Port
  description: What the port can do through which a node reaches its cluster
  parameters: [allowed_addresses, port_security, vnic_type]
`

const portParameters = `  allowed_addresses:
    type: comma_delimited_list
    label: Addresses that pods may use
    description: >
      Networks such as 10.244.0.0/16 whose addresses a node may send from, for a network plugin that does not wrap the packets of
      pods. The network has to be the project's own.
    default: []
  port_security:
    type: boolean
    label: Port security
    description: >
      Without it a node may send from any address; there must be no security groups then, and the network has to be the project's
      own
    default: true
  vnic_type:
    type: string
    label: Kind of port
    description: normal, or direct and the like for SR-IOV
    default: normal
    constraints:
    - allowed_values: [normal, direct, macvtap, direct-physical, virtio-forwarder]
      description: normal, direct, macvtap, direct-physical or virtio-forwarder

`

// edit replaces everything from one text up to another.
type edit struct{ from, to, by string }

// withPorts makes nodegroup-with-ports.yaml out of nodegroup.yaml.
func withPorts(nodegroup string) (string, error) {
	out := nodegroup
	for _, e := range []edit{
		{"heat_template_version:", "\ndescription: >\n", "# Made from nodegroup.yaml by: go run ./hack/reference\nheat_template_version: 2018-08-31\n"},
		{"by one, one resource for\n  each. ", "Start it", "by one, each with a\n  port of its own (node-with-port.yaml). Take nodegroup.yaml unless the port has to be a special one. "},
		{"range: {min: 0, max: 990}\n", "  nodes_to_remove:\n", "range: {min: 0, max: 330}\n      description: A number from 0 to 330, as Heat allows 1000 resources in a stack by default and a node is three\n"},
		{" Each node then has a port of its own on it, which Heat makes and\n", "A change replaces all nodes.\n    default: ''\n  networks:", " Empty lets Neutron choose.\n      "},
		{"- label: Description\n", "- label: Description\n", portGroup},
		{"description: Names or ids, for all networks; ", "an empty list", "description: Names or ids, for the first network; "},
		{"  node_group:\n    type: string\n", "  node_group:\n    type: string\n", portParameters},
		{"      resource_def:\n", "            # The autoscaler knows by metering.stack", nodeWithPort},
		{"            user_data_format: RAW\n", "            # cloud-init's configuration as JSON", ""},
		{"          # Put together, because", "\noutputs:\n", ""},
		{"  boots_from_volume:", "  has_server_group:", ""},
	} {
		var err error
		if out, err = e.apply(out); err != nil {
			return "", fmt.Errorf("nodegroup.yaml: %w", err)
		}
	}
	// A nested stack takes its properties as they are: nothing has to be put together.
	before, rest, _ := strings.Cut(out, nodeWithPort)
	properties, after, ok := strings.Cut(rest, "\noutputs:\n")
	if !ok {
		return "", errors.New("nodegroup.yaml: its outputs do not come after its resources")
	}
	properties = strings.ReplaceAll("\n"+properties, "\n  ", "\n")[1:]
	return before + nodeWithPort + properties + "\noutputs:\n" + after, nil
}

// apply makes the edit, if there is one place for it. With the same text for both ends something is put before it.
func (e edit) apply(text string) (string, error) {
	if n := strings.Count(text, e.from); n != 1 {
		return "", fmt.Errorf("%d places to edit begin with %q", n, e.from)
	}
	before, rest, _ := strings.Cut(text, e.from)
	if e.from == e.to {
		return before + e.by + e.from + rest, nil
	}
	_, after, ok := strings.Cut(rest, e.to)
	if !ok {
		return "", fmt.Errorf("no place to edit ends before %q", e.to)
	}
	return before + e.by + e.to + after, nil
}

// heatTemplates are the templates that are made from others, by path.
func heatTemplates(root string) (map[string]string, error) {
	nodegroup, err := os.ReadFile(root + heatFolder + "nodegroup.yaml") //nolint:gosec // a file of the repository
	if err != nil {
		return nil, err
	}
	ports, err := withPorts(string(nodegroup))
	if err != nil {
		return nil, err
	}
	whole, err := cluster(root, string(nodegroup))
	if err != nil {
		return nil, err
	}
	return map[string]string{
		root + heatFolder + "nodegroup-with-ports.yaml": ports,
		root + heatFolder + "cluster.yaml":              whole,
	}, nil
}
