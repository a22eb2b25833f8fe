package heatstack

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"sync"
	"testing"
	"time"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/stretchr/testify/require"
	clocktesting "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// cloudFake is a cloud with a state, as far as the reading half sees it. It counts calls and fails when it is told to.
type cloudFake struct {
	mu      sync.Mutex
	stacks  map[string]*stackFake
	servers map[string]*Server
	flavors []FlavorRow
	// noDate: Nova does not tell its time.
	noDate bool
	// failures are the events of failed servers, by stack.
	failures map[string][]serverFailure
	clock    *clocktesting.FakeClock

	calls []string
	// fail maps a call, such as "GetStack a", to its error; during is run inside a call, without the lock.
	fail   map[string]error
	during map[string]func()
}

type stackFake struct {
	detail   StackDetail
	template map[string]any
	files    map[string]string
	members  []MemberRow
}

func newCloudFake() *cloudFake {
	return &cloudFake{
		failures: map[string][]serverFailure{},
		stacks:   map[string]*stackFake{}, servers: map[string]*Server{}, fail: map[string]error{}, during: map[string]func(){},
		clock:   clocktesting.NewFakeClock(time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC)),
		flavors: []FlavorRow{{ID: "f-1", Name: "m1.small", VCPUs: 1, RAMMiB: 2048, DiskGiB: 20}},
	}
}

func answered(code int) error { return gophercloud.ErrUnexpectedResponseCode{Actual: code} }

func (f *cloudFake) called(name, arg string) error {
	call := name
	if arg != "" {
		call += " " + arg
	}
	f.mu.Lock()
	f.calls = append(f.calls, call)
	err, during := f.fail[call], f.during[call]
	f.mu.Unlock()
	if during != nil {
		during()
	}
	return err
}

func (f *cloudFake) ListStacks(_ context.Context, tags []string) ([]StackRow, error) {
	err := f.called("ListStacks", fmt.Sprint(tags))
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	var rows []StackRow
	for _, id := range slices.Sorted(maps.Keys(f.stacks)) {
		row := f.stacks[id].detail.StackRow
		if (Discovery{Tags: tags}).matches(row.Tags) {
			rows = append(rows, row)
		}
	}
	return rows, nil
}

func (f *cloudFake) GetStack(_ context.Context, _, id string) (*StackDetail, error) {
	err := f.called("GetStack", id)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	st := f.stacks[id]
	if st == nil {
		return nil, answered(http.StatusNotFound)
	}
	detail := st.detail
	detail.Parameters = maps.Clone(detail.Parameters)
	return &detail, nil
}

func (f *cloudFake) GetTemplate(_ context.Context, _, id string) (map[string]any, error) {
	if err := f.called("GetTemplate", id); err != nil {
		return nil, err
	}
	return f.stacks[id].template, nil
}

func (f *cloudFake) GetFiles(_ context.Context, _, id string) (map[string]string, error) {
	if err := f.called("GetFiles", id); err != nil {
		return nil, err
	}
	return f.stacks[id].files, nil
}

func (f *cloudFake) ListMembers(_ context.Context, _, id, _ string) ([]MemberRow, error) {
	err := f.called("ListMembers", id)
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.stacks[id].members), err
}

func (f *cloudFake) GetGroup(context.Context, string, string, string) (*GroupState, error) {
	return nil, errors.New("the reading half does not ask for this")
}

func (f *cloudFake) Patch(_ context.Context, _, id string, parameters map[string]any) error {
	if err := f.called("Patch", id); err != nil {
		return err
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	st := f.stacks[id]
	for k, v := range parameters {
		st.detail.Parameters[k] = fmt.Sprint(v)
	}
	st.detail.Status, st.detail.Updated = "UPDATE_IN_PROGRESS", f.clock.Now().Format(time.RFC3339)
	return nil
}

func (f *cloudFake) ListFailures(_ context.Context, _, id string) ([]serverFailure, error) {
	err := f.called("ListFailures", id)
	return f.failures[id], err
}

func (f *cloudFake) Check(context.Context, string, string) error { return nil }

func (f *cloudFake) MarkUnhealthy(context.Context, MemberRow, string) error { return nil }

func (f *cloudFake) ListServers(_ context.Context, since time.Time) ([]Server, time.Time, error) {
	kind := "changed"
	if since.IsZero() {
		kind = "all"
	}
	err := f.called("ListServers", kind)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		return nil, time.Time{}, err
	}
	var list []Server
	for _, id := range slices.Sorted(maps.Keys(f.servers)) {
		s := *f.servers[id]
		switch {
		case since.IsZero() && s.gone(), s.Updated.Before(since):
			continue
		case s.gone():
			s.Metadata, s.Fault = nil, "" // as Nova has it
		case s.Status == novaError && !s.Launched:
			s.Fault = "" // only its own GET shows it
		}
		list = append(list, s)
	}
	if f.noDate {
		return list, time.Time{}, nil
	}
	return list, f.clock.Now(), nil
}

func (f *cloudFake) GetServer(_ context.Context, id string) (*Server, error) {
	err := f.called("GetServer", id)
	f.mu.Lock()
	defer f.mu.Unlock()
	if err != nil {
		return nil, err
	}
	s := f.servers[id]
	if s == nil || s.gone() {
		return nil, answered(http.StatusNotFound)
	}
	found := *s
	return &found, nil
}

func (f *cloudFake) ListFlavors(context.Context) ([]FlavorRow, error) {
	err := f.called("ListFlavors", "")
	return f.flavors, err
}

// takeCalls returns the calls since the last time, sorted.
func (f *cloudFake) takeCalls() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	calls := f.calls
	f.calls = nil
	slices.Sort(calls)
	return calls
}

// stack adds a stack in good order with n members, whose servers carry metadata, as our own templates make it.
func (f *cloudFake) stack(id string, n int, tags ...string) *stackFake {
	st := &stackFake{template: groupTemplate(nil), detail: StackDetail{
		StackRow: StackRow{
			ID: id, Name: "stack-" + id, Project: "p", Tags: append([]string{"autoscaled", "node-group-max-size=10"}, tags...),
			Status: "CREATE_COMPLETE",
		},
		Parameters: map[string]string{"node_count": strconv.Itoa(n), "nodes_to_remove": "", "flavor": "m1.small"},
	}}
	f.stacks[id] = st
	for i := range n {
		f.member(id, i)
	}
	return st
}

// member adds a member with a running server, and returns the server.
func (f *cloudFake) member(stackID string, index int) *Server {
	i := strconv.Itoa(index)
	s := &Server{
		ID: stackID + "-" + i, Name: "node-" + i, Status: "ACTIVE", Launched: true, Zone: "nova",
		Metadata: map[string]string{metadataStack: stackID, metadataIndex: i},
		Flavor:   FlavorRow{Name: "m1.small", VCPUs: 1, RAMMiB: 2048, DiskGiB: 20},
		Created:  f.clock.Now(), Updated: f.clock.Now(),
	}
	f.servers[s.ID] = s
	f.stacks[stackID].members = append(f.stacks[stackID].members,
		MemberRow{Index: i, ServerID: s.ID, Status: "CREATE_COMPLETE", Resource: i})
	return s
}

// move changes a stack as an update does: the status, and updated_time where the action is another one.
func (f *cloudFake) move(st *stackFake, status string, parameters map[string]string) {
	if isBusy(status) {
		st.detail.Updated = f.clock.Now().Format(time.RFC3339)
	}
	st.detail.Status = status
	maps.Copy(st.detail.Parameters, parameters)
}

// change changes a server now.
func (f *cloudFake) change(id string, how func(*Server)) {
	how(f.servers[id])
	f.servers[id].Updated = f.clock.Now()
}

func toDeleted(s *Server) { s.Status = "DELETED" }

// groupTemplate is a template that can be scaled, with some of the group's properties changed; a nil property is taken away.
func groupTemplate(changes map[string]any) map[string]any {
	properties := map[string]any{
		"count":            map[string]any{"get_param": "node_count"},
		"removal_policies": []any{map[string]any{"resource_list": map[string]any{"get_param": "nodes_to_remove"}}},
		"resource_def":     map[string]any{"type": "OS::Nova::Server"},
	}
	for k, v := range changes {
		properties[k] = v
		if v == nil {
			delete(properties, k)
		}
	}
	return map[string]any{"resources": map[string]any{
		"nodes": map[string]any{"type": typeResourceGroup, "properties": properties},
		"net":   map[string]any{"type": "OS::Neutron::Net"},
	}}
}

// newTestCloud is a Cloud over a fake cloud, with a fake writing half.
func newTestCloud(f *cloudFake, change func(*Options)) (*Cloud, *writerFake) {
	opts := Options{
		Discovery: []Discovery{{Tags: []string{"autoscaled"}}}, Clock: f.clock, Jitter: func() float64 { return 0.5 },
	}
	if change != nil {
		change(&opts)
	}
	w := &writerFake{pending: map[string]int{}, removing: map[string]map[string]bool{}, seen: map[string]sighting{}}
	c := newCloud(f, f, opts, func(heat Heat, _ Nova, hooks writerHooks, opts writerOptions) stackWriter {
		w.heat, w.hooks, w.opts = heat, hooks, opts
		return w
	})
	return c, w
}

// write changes a stack as the writing half does it: an update, and a read back.
func (w *writerFake) write(t *testing.T, id string, parameters map[string]any) {
	t.Helper()
	require.NoError(t, w.heat.Patch(t.Context(), "stack-"+id, id, parameters))
	detail, err := w.heat.GetStack(t.Context(), "stack-"+id, id)
	require.NoError(t, err)
	w.hooks.observed(detail)
}

// refresh lets ten seconds pass and refreshes.
func refresh(t *testing.T, f *cloudFake, c *Cloud) {
	t.Helper()
	f.clock.Step(10 * time.Second)
	require.NoError(t, c.Refresh(t.Context()))
}

// shown is a stack as List shows it.
func shown(t *testing.T, c *Cloud, id string) *nodegroups.Stack {
	t.Helper()
	list, _ := c.List()
	for _, st := range list {
		if st.ID == id {
			return st
		}
	}
	require.Failf(t, "no such stack", "%s in %v", id, list)
	return nil
}

// states are the members of a stack in short: "0 running", "- creating".
func states(st *nodegroups.Stack) []string {
	var all []string
	for _, m := range st.Members {
		index := m.Index
		if index == "" {
			index = "-"
		}
		all = append(all, index+" "+m.State.String())
	}
	return all
}

// reasons are the reasons of problems.
func reasons(problems []nodegroups.Problem) []string {
	var all []string
	for _, p := range problems {
		all = append(all, p.Reason)
	}
	return all
}
