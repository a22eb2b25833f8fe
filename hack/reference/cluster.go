package main

import (
	"fmt"
	"os"
	"regexp"
	"strings"
)

// fromNodegroup are the parameters that cluster.yaml has in common with nodegroup.yaml.
var fromNodegroup = []string{
	"node_count", "nodes_to_remove", "node_group_annotations", "flavor", "image", "networks", "security_groups", "boot_volume_size",
	"key_name", "config_drive", "availability_zone", "anti_affinity", "server_group", "node_group", "node_name_prefix", "metadata",
	"server_tags", "join_method", "cluster_ca", "bootstrap_token_source", "bootstrap_token", "cluster_dns", "region",
	"serving_certificates", "shutdown_grace_period", "block_metadata", "kubelet_extra_args", "http_proxy", "https_proxy", "no_proxy",
	"extra_ca", "registry_mirror", "registry_mirror_for",
}

// ownPort is where nodegroup.yaml lets the first port be one of its own subnet. A cluster's network has one subnet.
const ownPort = `              # With a subnet Heat makes the port, as a part of the server and not as a resource beside it
              # (heat/engine/resources/openstack/nova/server_network_mixin.py).
              - - map_merge: [{network: {get_param: network}}, {if: [has_subnet, {subnet: {get_param: subnet}}, {}]}]
`

// inCluster is what differs in the resources: what is a parameter in nodegroup.yaml is made in cluster.yaml.
var inCluster = []edit{
	{ownPort, "", "              - - {network: {get_resource: network}}\n"},
	{"security_groups: {get_param: security_groups}", "", "security_groups: {list_concat: [[{get_resource: security_group}], {get_param: security_groups}]}"},
	{"  nodes:\n    type: OS::Heat::ResourceGroup\n", "", "  nodes:\n    type: OS::Heat::ResourceGroup\n    depends_on: router_interface\n"},
	{"{get_param: cloud_provider}", "", "{if: [has_cloud_controller, external, '']}"},
	{"{get_param: api_server}", "", "{str_replace: {template: 'https://ADDRESS:6443', params: {ADDRESS: {get_param: api_address}}}}"},
}

// cluster fills the sections of cluster.yaml.
func cluster(root, nodegroup string) (string, error) {
	text, err := os.ReadFile(root + heatFolder + "cluster.yaml") //nolint:gosec // a file of the repository
	if err != nil {
		return "", err
	}
	parameters, err := parametersOf(nodegroup, fromNodegroup)
	if err != nil {
		return "", err
	}
	resources := between(nodegroup, "\nresources:\n", "\noutputs:\n")
	for _, e := range inCluster {
		if !strings.Contains(resources, e.from) {
			return "", fmt.Errorf("nodegroup.yaml: %q is not in its resources", e.from)
		}
		resources = strings.ReplaceAll(resources, e.from, e.by)
	}
	out := string(text)
	for _, section := range []struct{ name, text string }{
		{"parameters of nodegroup.yaml", parameters},
		{"conditions of nodegroup.yaml", without(between(nodegroup, "\nconditions:\n", "\nresources:\n"), "  has_api_server:", "  has_cloud_controller:", "  has_subnet:")},
		{"resources of nodegroup.yaml", resources},
	} {
		if out, err = fill(out, section.name, strings.Trim(section.text, "\n")+"\n"); err != nil {
			return "", err
		}
	}
	for _, manifest := range []string{"kubeadm-join.yaml", "cluster-autoscaler-openstack.yaml"} {
		content, err := os.ReadFile(root + "/deploy/kubernetes/" + manifest) //nolint:gosec // a file of the repository
		if err != nil {
			return "", err
		}
		if out, err = fill(out, manifest, bare(string(content))); err != nil {
			return "", err
		}
	}
	return out, nil
}

// fill puts lines between the comments that begin and end a section, indented as they are.
func fill(text, section, lines string) (string, error) {
	markers := regexp.MustCompile(`(?s)\n( *)# begin ` + regexp.QuoteMeta(section) + `\n(.*?\n)? *# end ` + regexp.QuoteMeta(section) + `\n`)
	found := markers.FindStringSubmatchIndex(text)
	if found == nil {
		return "", fmt.Errorf("cluster.yaml has no section %q", section)
	}
	indent := text[found[2]:found[3]]
	var b strings.Builder
	if own := len(lines) - len(strings.TrimLeft(lines, " ")); own > 0 {
		indent = indent[min(own, len(indent)):]
	}
	for line := range strings.Lines(lines) {
		if strings.TrimSpace(line) != "" {
			b.WriteString(indent)
		}
		b.WriteString(line)
	}
	marker := text[found[2]:found[3]] + "# %s " + section + "\n"
	return text[:found[0]+1] + fmt.Sprintf(marker, "begin") + b.String() + fmt.Sprintf(marker, "end") + text[found[1]:], nil
}

// between is what stands between two texts, empty if they are not there.
func between(text, from, to string) string {
	_, rest, _ := strings.Cut(text, from)
	inside, _, ok := strings.Cut(rest, to)
	if !ok {
		return ""
	}
	return inside
}

// parametersOf cuts the parameters of these names out of a template, in this order.
func parametersOf(template string, names []string) (string, error) {
	section := "\n" + between(template, "\nparameters:\n", "\nconditions:\n") + "\n  end:\n"
	var b strings.Builder
	for _, name := range names {
		block := regexp.MustCompile(`(?s)\n(  ` + name + `:\n.*?)\n+  [a-z_]+:\n`).FindStringSubmatch(section)
		if block == nil {
			return "", fmt.Errorf("nodegroup.yaml has no parameter %q", name)
		}
		b.WriteString(block[1] + "\n")
	}
	return b.String(), nil
}

// without is text without the lines that begin so.
func without(text string, beginnings ...string) string {
	var b strings.Builder
	for line := range strings.Lines(text) {
		keep := true
		for _, beginning := range beginnings {
			keep = keep && !strings.HasPrefix(line, beginning)
		}
		if keep {
			b.WriteString(line)
		}
	}
	return b.String()
}

// bare is a manifest without its comments.
func bare(manifest string) string {
	var b strings.Builder
	for line := range strings.Lines(manifest) {
		if !strings.HasPrefix(strings.TrimSpace(line), "#") {
			b.WriteString(line)
		}
	}
	return b.String()
}
