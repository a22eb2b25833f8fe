package simulator

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"time"
)

// stack is a Heat stack, a root one or one nested in a resource of another.
type stack struct {
	sim             *Simulator
	project         *Project
	owner           *user
	trustor         *user  // on whose behalf Heat works on it: who last changed it with a password
	caller          *token // with which it was last changed by a request; nil if by none
	id, name        string
	parent          *resource // whose nested stack this is; nil for a root stack
	tmpl            *template
	files           map[string]string
	registry        map[string]string // type aliases from the environment
	sent            map[string]any    // parameters that users gave
	values          map[string]any    // all parameters, in their types
	tags            []string
	action, status  string
	reason          string
	created         time.Time
	updated         time.Time // zero before the first update
	deleted         time.Time // zero while it is there
	disableRollback bool
	timeoutMinutes  int
	classic         bool
	resources       map[string]*resource
	current         *traversal
	acting          int                  // counts actions, so that one that is superseded can tell
	by              string               // who ordered what is under way
	rollingBack     bool                 //
	done            func(failure string) // tells the parent resource
	before          *revision            // what the running update started from
	shown           map[string]any       // values that a classic engine shows while it updates
	writes          int                  // accepted PATCHes, to find those that overlap
	events          []stackEvent
}

// revision is what an update changes and a rollback restores.
type revision struct {
	tmpl         *template
	files        map[string]string
	registry     map[string]string
	sent, values map[string]any
}

// stackEvent is a row of Heat's event list.
type stackEvent struct {
	at                       time.Time
	resource, physical, kind string
	status, reason           string
	stack                    *stack
	number                   uint64
}

// maxEvents is how many events a stack keeps.
const maxEvents = 300

var stackName = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9_.-]{0,254}$`)

// StackSpec is what a new stack is to be.
type StackSpec struct {
	Name string
	// Template is HOT as text or as an object. Files are the nested templates and other files it refers to.
	Template   any
	Files      map[string]string
	Parameters map[string]any
	Tags       []string
	// EnableRollback is the opposite of Heat's disable_rollback.
	EnableRollback bool
	TimeoutMinutes int
	// Registry maps resource types to files or other types: an environment's resource_registry.
	Registry map[string]string
}

func (s *Simulator) newStack(p *Project, u *user, name string) *stack {
	st := &stack{
		sim: s, project: p, owner: u, trustor: u, id: s.uuid(), name: name, created: s.now, disableRollback: true,
		resources: map[string]*resource{}, files: map[string]string{}, registry: map[string]string{}, classic: s.classic,
	}
	s.stacks[st.id] = st
	return st
}

// createStack makes a root stack and starts its creation.
func (s *Simulator) createStack(p *Project, u *user, spec StackSpec) (*stack, *apiError) {
	if !stackName.MatchString(spec.Name) {
		return nil, invalid("Invalid stack name %s must contain only alphanumeric or \"_-.\" characters, must start with alpha and must be 255 characters or less.", spec.Name)
	}
	for _, tag := range spec.Tags {
		if len(tag) > 80 {
			return nil, &apiError{400, "HTTPBadRequest", fmt.Sprintf("Invalid tag, \"%s\" is longer than 80 characters", tag)}
		}
	}
	if p.byName[spec.Name] != nil {
		return nil, &apiError{409, "StackExists", fmt.Sprintf("The Stack (%s) already exists.", spec.Name)}
	}
	t, err := parseTemplate(spec.Template)
	if err != nil {
		return nil, err
	}
	for name := range spec.Parameters {
		if t.params[name] == nil {
			return nil, &apiError{400, "UnknownUserParameter", fmt.Sprintf("The Parameter (%s) was not defined in template.", name)}
		}
	}
	values, err := s.bind(t, spec.Parameters)
	if err != nil {
		return nil, err
	}
	st := s.newStack(p, u, spec.Name)
	st.tmpl, st.sent, st.values = t, maps.Clone(spec.Parameters), values
	if st.sent == nil {
		st.sent = map[string]any{}
	}
	if spec.Files != nil {
		st.files = spec.Files
	}
	if spec.Registry != nil {
		st.registry = spec.Registry
	}
	st.tags, st.disableRollback, st.timeoutMinutes = slices.Clone(spec.Tags), !spec.EnableRollback, spec.TimeoutMinutes
	if st.timeoutMinutes == 0 {
		st.timeoutMinutes = 60
	}
	if err := st.validate(); err != nil {
		delete(s.stacks, st.id)
		return nil, err
	}
	p.stackList = append(p.stackList, st)
	p.byName[st.name] = st
	st.by = u.name
	st.before = &revision{tmpl: &template{raw: map[string]any{}, resources: map[string]*definition{}}}
	st.converge("CREATE", 0)
	return st, nil
}

// patch is what a PATCH or PUT asks for.
type patch struct {
	existing        bool // PATCH: keep what is not named
	template        any
	files           map[string]string
	registry        map[string]string
	parameters      map[string]any
	clear           []string
	tags            []string
	tagsGiven       bool
	disableRollback *bool
	timeoutMinutes  int
	by              string
}

// update starts an update of a root stack.
func (st *stack) update(p patch) *apiError {
	s := st.sim
	switch {
	case st.action == "DELETE":
		return &apiError{400, "NotSupported", "Updating a stack when it is deleting is not supported."}
	case st.action == "SUSPEND": // in progress, complete or failed
		return &apiError{400, "NotSupported", "Updating a stack when it is suspended is not supported."}
	case st.classic && st.status == "IN_PROGRESS":
		return &apiError{409, "ActionInProgress", fmt.Sprintf("Stack %s already has an action (%s) in progress.", st.name, st.action)}
	}
	next := revision{tmpl: st.tmpl, files: st.files, registry: st.registry, sent: map[string]any{}}
	if p.template != nil {
		t, err := parseTemplate(p.template)
		if err != nil {
			return err
		}
		next.tmpl = t
	} else if !p.existing {
		return &apiError{400, "HTTPBadRequest", "No template specified"}
	}
	if len(p.files) > 0 {
		next.files = maps.Clone(st.files)
		maps.Copy(next.files, p.files)
	}
	if len(p.registry) > 0 {
		next.registry = p.registry
	}
	if p.existing {
		maps.Copy(next.sent, st.sent)
		for _, name := range p.clear {
			delete(next.sent, name)
		}
	}
	maps.Copy(next.sent, p.parameters)
	for name := range next.sent {
		if next.tmpl.params[name] == nil {
			if !p.existing {
				return &apiError{400, "UnknownUserParameter", fmt.Sprintf("The Parameter (%s) was not defined in template.", name)}
			}
			// A PATCH with a name that the template does not know is accepted and the name forgotten.
			delete(next.sent, name)
		}
	}
	values, err := s.bind(next.tmpl, next.sent)
	if err != nil {
		return err
	}
	next.values = values
	last := revision{st.tmpl, st.files, st.registry, st.sent, st.values}
	st.restore(next)
	if err := st.validate(); err != nil {
		st.restore(last)
		return err
	}
	st.before = &last
	if st.classic {
		st.shown = last.values
	}
	if p.tagsGiven {
		st.tags = p.tags
	} else if !p.existing {
		st.tags = nil
	}
	st.disableRollback = p.disableRollback == nil || *p.disableRollback
	if p.timeoutMinutes > 0 {
		st.timeoutMinutes = p.timeoutMinutes
	}
	st.by, st.rollingBack, st.updated = p.by, false, s.now
	st.writes++
	st.converge("UPDATE", s.timing.Group)
	return nil
}

func (st *stack) restore(r revision) {
	st.tmpl, st.files, st.registry, st.sent, st.values = r.tmpl, r.files, r.registry, r.sent, r.values
}

// remove starts the deletion of a stack.
func (st *stack) remove(by string) {
	if st.action == "DELETE" && st.status != "FAILED" {
		return
	}
	st.by = by
	if st.parent == nil {
		st.updated = st.sim.now
	}
	st.converge("DELETE", 0)
}

// root is the stack that users know.
func (st *stack) root() *stack {
	for st.parent != nil {
		st = st.parent.st
	}
	return st
}

// set changes the stack's state and notes the event.
func (st *stack) set(action, status, reason string) {
	st.action, st.status, st.reason = action, status, reason
	st.note(stackEvent{resource: st.name, physical: st.id, kind: "OS::Heat::Stack", status: action + "_" + status, reason: reason})
}

func (st *stack) note(e stackEvent) {
	s := st.sim
	s.sequence++
	e.at, e.stack, e.number = s.now, st, s.sequence
	st.events = append(st.events, e)
	if len(st.events) > maxEvents+100 {
		st.events = append([]stackEvent(nil), st.events[len(st.events)-maxEvents:]...)
	}
}

// inProgress says whether an action runs.
func (st *stack) inProgress() bool { return st.status == "IN_PROGRESS" }

// sorted lists the stack's resources by name, numbers by their value.
func (st *stack) sorted() []*resource {
	list := make([]*resource, 0, len(st.resources))
	for _, r := range st.resources {
		list = append(list, r)
	}
	slices.SortFunc(list, func(a, b *resource) int { return compareNames(a.name, b.name) })
	return list
}

// count is the number of resources in the stack and all that are nested in it.
func (st *stack) count() int {
	n := len(st.resources)
	for _, r := range st.resources {
		if r.nested != nil {
			n += r.nested.count()
		}
	}
	return n
}

// compareNames orders decimal numbers by value, before everything else.
func compareNames(a, b string) int {
	x, xok := memberNumber(a)
	y, yok := memberNumber(b)
	switch {
	case xok && yok:
		return x - y
	case xok:
		return -1
	case yok:
		return 1
	case a < b:
		return -1
	case a > b:
		return 1
	}
	return 0
}

func memberNumber(name string) (int, bool) {
	n := 0
	for _, c := range name {
		if c < '0' || c > '9' || n > 1<<30 {
			return 0, false
		}
		n = n*10 + int(c-'0')
	}
	return n, name != ""
}
