package access

import "net/http"

// who makes a request.
type who int

const (
	// ours: the autoscaler itself, at the endpoint that its credentials name.
	ours who = iota + 1
	// others: Heat or Nova with the caller's token, at whichever endpoint they use. Heat does the whole update so (seen on Zed: without
	// a rule for POST /servers no member can be made), and checks the stack's parameters before (heat/engine/constraints.py). Nova
	// makes, lists and removes the ports of servers so (nova/network/neutron.py), unless the cloud has it send a service token.
	others
)

// kindOfRequest is a row of the table of requests.
type kindOfRequest struct {
	service string // the type in the catalog
	method  string
	// path is what follows the version of the API.
	path string
	who  who
	why  string
	// when says in which set-ups the request is made; always if nil.
	when func(Needs) bool
}

// reading is why lists of Nova, Neutron and Glance are allowed.
const reading = "Heat looks up what a stack's parameters name before it takes an update"

// making is why members can be made and removed with the credential: the roles of its user that are left to it would allow far more.
const making = "Heat makes and removes members with the token of whoever updates the stack"

// requests are all kinds of requests. Keep them in step with heatstack, ceilometer and internal/check: a test runs the
// autoscaler with what stands here.
var requests = []kindOfRequest{
	// Zed's Keystone does not hold itself to access rules; its middleware can.
	{"identity", http.MethodGet, "/users/USER/application_credentials/*", ours, "how long the credential is good for", nil},

	{"orchestration", http.MethodGet, "/stacks", ours, "which stacks are node groups", nil},
	{"orchestration", http.MethodGet, "/stacks/*/*", ours, "a stack's size and state", nil},
	{"orchestration", http.MethodGet, "/stacks/*/*/template", ours, "whether exactly the named member would be removed", nil},
	{"orchestration", http.MethodGet, "/stacks/*/*/files", ours, "the same, in nested templates", nil},
	{"orchestration", http.MethodGet, "/stacks/*/*/resources", ours, "which member has which server", nil},
	{"orchestration", http.MethodGet, "/stacks/*/*/resources/*", ours, "which indices Heat will not use again", nil},
	{"orchestration", http.MethodGet, "/stacks/*/*/events", ours, "why a member could not be made", nil},
	{"orchestration", http.MethodPatch, "/stacks/*/*", ours, "to grow and to remove members", nil},
	{"orchestration", http.MethodPatch, "/stacks/*/*/resources/*", ours, "to have a member that is gone made anew", nil},
	{"orchestration", http.MethodPost, "/stacks/*/*/actions", ours, "to have Heat compare a failed stack with the cloud", nil},

	{"compute", http.MethodGet, "/servers/*", ours, "the members, one or all (detail)", nil},
	{"compute", http.MethodGet, "/servers/*/os-instance-actions", ours, "who stopped a machine, before it is replaced", nil},
	{"compute", http.MethodPost, "/servers/*/action", ours, "to shut a machine down before it is removed", shutdown},
	{"compute", http.MethodGet, "/limits", ours, "what the quota leaves", nil},
	{"compute", http.MethodGet, "/flavors", others, reading, nil},
	{"compute", http.MethodGet, "/flavors/*", others, "what a new node will have; and " + reading, nil},
	{"compute", http.MethodGet, "/os-keypairs/*", others, reading, nil},
	{"compute", http.MethodGet, "/os-server-groups", ours, "how full the server groups are", nil},

	{"compute", http.MethodPost, "/servers", others, making, nil},
	{"compute", http.MethodDelete, "/servers/*", others, making, nil},
	{"compute", http.MethodGet, "/servers/*/os-interface", others, making, nil},
	{"compute", http.MethodGet, "/servers/*/os-volume_attachments", others, making, volumes},

	{"network", http.MethodGet, "/**", others, "Nova looks up the ports of servers; " + reading, nil},
	{"network", http.MethodPost, "/ports", others, making, nil},
	{"network", http.MethodPut, "/ports/*", others, making, nil},
	{"network", http.MethodDelete, "/ports/*", others, making, nil},
	{"image", http.MethodGet, "/images", others, reading, nil},
	{"image", http.MethodGet, "/images/*", others, reading, nil},
	{"image", http.MethodGet, "/schemas/*", others, reading, nil},
	{"volumev3", http.MethodGet, "/**", others, reading, volumes},
	{"volumev3", http.MethodPost, "/volumes", others, making, volumes},
	{"volumev3", http.MethodDelete, "/volumes/*", others, making, volumes},
	{"volumev3", http.MethodPost, "/volumes/*/action", others, making, volumes},
	{"volumev3", http.MethodPost, "/attachments", others, making, volumes},
	{"volumev3", http.MethodPut, "/attachments/*", others, making, volumes},
	{"volumev3", http.MethodPost, "/attachments/*/action", others, making, volumes},
	{"volumev3", http.MethodDelete, "/attachments/*", others, making, volumes},
	{"load-balancer", http.MethodGet, "/**", others, reading, loadBalancers},
	{"load-balancer", http.MethodPost, "/**", others, making, loadBalancers},
	{"load-balancer", http.MethodPut, "/**", others, making, loadBalancers},
	{"load-balancer", http.MethodDelete, "/**", others, making, loadBalancers},

	{"metric", http.MethodPost, "/aggregates", ours, "the load of node groups", gnocchi},
	{"metric-storage", http.MethodGet, "/query", ours, "the load of node groups", aetos},
}

func shutdown(n Needs) bool      { return n.Shutdown }
func volumes(n Needs) bool       { return n.Volumes }
func loadBalancers(n Needs) bool { return n.LoadBalancers }
func gnocchi(n Needs) bool       { return n.Gnocchi }
func aetos(n Needs) bool         { return n.Aetos }
