package simulator

import "fmt"

// plainAttribute is an attribute of a resource that is little more than an id: one of its properties, or what its service would
// add to them.
func (r *resource) plainAttribute(name string) any {
	if r.physical == "" {
		return nil
	}
	switch r.kind + "." + name {
	case "OS::Neutron::FloatingIP.floating_ip_address":
		// From the addresses for documentation, RFC 5737; the same as long as the resource is the same.
		return fmt.Sprintf("198.51.100.%d", 1+int(r.physical[0])%200)
	case "OS::Neutron::Router.external_gateway_info":
		network := text(object(r.properties["external_gateway_info"])["network"])
		if n := r.st.sim.network(network); n != nil {
			network = n.ID
		}
		return map[string]any{"network_id": network}
	}
	return r.properties[name]
}
