package heatstack

import (
	"context"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// fakeStack is a stack with a resource group in a fake cloud. An update stays in progress until settle.
type fakeStack struct {
	ref            stackRef
	status, reason string
	updated        int
	count          int
	list           []string
	shownCount     int
	shownList      []string
	removed        indexSet
	rows           map[int]*MemberRow
	mode           string
}

// fakeCloud is a Heat and a Nova with just enough state for the writers.
type fakeCloud struct {
	mu      sync.Mutex
	classic bool
	stacks  map[string]*fakeStack
	servers map[string]string // id -> Nova status; absent: 404
	// launched: servers have run, whatever their status is now.
	launched bool
	made     int
	patches  []string
	// sentParameters are those of all patches; more are shown beside the size and the list.
	sentParameters []map[string]any
	more           map[string]string
	checks         int
	marked         []string
	reads          int

	// patchHook may answer a Patch in Heat's place: handled false lets it through.
	patchHook func(s *fakeStack, parameters map[string]any) (handled bool, err error)
	readErr   error
	checkHook func(s *fakeStack)
}

func httpError(code int) error {
	return gophercloud.ErrUnexpectedResponseCode{Actual: code, Body: []byte(http.StatusText(code))}
}

func newFakeCloud() *fakeCloud {
	return &fakeCloud{stacks: map[string]*fakeStack{}, servers: map[string]string{}}
}

// add makes a stack of count members at rest.
func (f *fakeCloud) add(id string, count int) *fakeStack {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := &fakeStack{
		ref: stackRef{
			ID: id, Name: "stack-" + id,
			Config: nodegroups.Config{
				Name: "group-" + id, MinSize: 1, MaxSize: 200,
				Parameters: nodegroups.ParameterNames{Size: "node_count", Removal: "nodes_to_remove"},
			},
		},
		removed: indexSet{}, rows: map[int]*MemberRow{}, mode: removalAppend, status: "CREATE_IN_PROGRESS",
		count: count,
	}
	f.stacks[id] = s
	f.settleLocked(s)
	s.status = "CREATE_COMPLETE"
	return s
}

// settle carries the running update out.
func (f *fakeCloud) settle(s *fakeStack) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.settleLocked(s)
}

func (f *fakeCloud) settleLocked(s *fakeStack) {
	v := indexSet{}
	if s.mode == removalAppend {
		v = s.removed.union(nil)
	}
	for _, name := range s.list {
		if i, err := strconv.Atoi(name); err == nil && (s.rows[i] != nil || s.removed[i]) {
			v[i] = true
		}
	}
	s.removed = v
	intended := firstFree(s.count, v)
	for i, row := range s.rows {
		if !intended[i] {
			delete(f.servers, row.ServerID)
			delete(s.rows, i)
		}
	}
	for i := range intended {
		row := s.rows[i]
		if row == nil {
			row = &MemberRow{Index: strconv.Itoa(i), StackID: s.ref.ID, Resource: "server"}
			s.rows[i] = row
		}
		if row.ServerID == "" || strings.HasSuffix(row.Status, "_FAILED") {
			f.made++
			row.ServerID = fmt.Sprintf("%s-server-%d", s.ref.ID, f.made)
			f.servers[row.ServerID] = "ACTIVE"
		}
		row.Status = "CREATE_COMPLETE"
	}
	s.shownCount, s.shownList = s.count, s.list
	s.status = "UPDATE_COMPLETE"
}

// fails makes a member of the running update fail, while the update goes on.
func (f *fakeCloud) fails(s *fakeStack, index int) {
	f.mu.Lock()
	defer f.mu.Unlock()
	id := fmt.Sprintf("%s-failed-%d", s.ref.ID, index)
	f.servers[id] = "ERROR"
	s.rows[index] = &MemberRow{Index: strconv.Itoa(index), StackID: s.ref.ID, Resource: "server", ServerID: id, Status: "CREATE_FAILED"}
}

// readings are how often a stack was read.
func (f *fakeCloud) readings() int {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.reads
}

// ids are the servers of the stack by index.
func (f *fakeCloud) ids(s *fakeStack) []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	set := indexSet{}
	for i := range s.rows {
		set[i] = true
	}
	var out []string
	for _, i := range set.sorted() {
		out = append(out, s.rows[i].ServerID)
	}
	return out
}

// member is the member at an index as a caller would name it.
func (f *fakeCloud) member(s *fakeStack, index int) nodegroups.Member {
	f.mu.Lock()
	defer f.mu.Unlock()
	return nodegroups.Member{StackID: s.ref.ID, Index: strconv.Itoa(index), ServerID: s.rows[index].ServerID}
}

// change changes the cloud by somebody else's hand.
func (f *fakeCloud) change(what func()) {
	f.mu.Lock()
	defer f.mu.Unlock()
	what()
}

func (f *fakeCloud) sent() []string {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.patches)
}

func (f *fakeCloud) detailLocked(s *fakeStack) *StackDetail {
	detail := &StackDetail{
		StackRow: StackRow{ID: s.ref.ID, Name: s.ref.Name, Status: s.status, Reason: s.reason, Updated: strconv.Itoa(s.updated)},
		Parameters: map[string]string{
			"node_count": strconv.Itoa(s.shownCount), "nodes_to_remove": strings.Join(s.shownList, ","),
		},
	}
	maps.Copy(detail.Parameters, f.more)
	return detail
}

func (f *fakeCloud) ListStacks(context.Context, []string) ([]StackRow, error) { return nil, nil }

func (f *fakeCloud) GetTemplate(context.Context, string, string) (map[string]any, error) {
	return map[string]any{}, nil
}

func (f *fakeCloud) GetFiles(context.Context, string, string) (map[string]string, error) {
	return map[string]string{}, nil
}

func (f *fakeCloud) GetStack(_ context.Context, _, id string) (*StackDetail, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.reads++
	if f.readErr != nil {
		return nil, f.readErr
	}
	s := f.stacks[id]
	if s == nil {
		return nil, httpError(http.StatusNotFound)
	}
	return f.detailLocked(s), nil
}

func (f *fakeCloud) ListMembers(_ context.Context, _, id, _ string) ([]MemberRow, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	var out []MemberRow
	for _, row := range f.stacks[id].rows {
		out = append(out, *row)
	}
	slices.SortFunc(out, func(a, b MemberRow) int { return strings.Compare(a.Index, b.Index) })
	return out, nil
}

func (f *fakeCloud) GetGroup(_ context.Context, _, id, _ string) (*GroupState, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return &GroupState{Removed: f.stacks[id].removed.names()}, nil
}

func (f *fakeCloud) Patch(_ context.Context, _, id string, parameters map[string]any) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	s := f.stacks[id]
	f.sentParameters = append(f.sentParameters, maps.Clone(parameters))
	f.patches = append(f.patches, fmt.Sprintf("%s %v %v", id, parameters["node_count"], parameters["nodes_to_remove"]))
	if f.patchHook != nil {
		if handled, err := f.patchHook(s, parameters); handled {
			return err
		}
	}
	if f.classic && isBusy(s.status) {
		return httpError(http.StatusConflict)
	}
	f.applyLocked(s, parameters)
	return nil
}

func (f *fakeCloud) applyLocked(s *fakeStack, parameters map[string]any) {
	if n, ok := parameters["node_count"].(int); ok {
		s.count = n
	}
	if list, ok := parameters["nodes_to_remove"].([]string); ok {
		s.list = list
	}
	if !f.classic {
		s.shownCount, s.shownList = s.count, s.list
	}
	s.updated++
	s.status = "UPDATE_IN_PROGRESS"
}

func (f *fakeCloud) Check(_ context.Context, _, id string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.checks++
	if f.checkHook != nil {
		f.checkHook(f.stacks[id])
	}
	return nil
}

func (f *fakeCloud) MarkUnhealthy(_ context.Context, m MemberRow, _ string) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.marked = append(f.marked, m.Index)
	for _, s := range f.stacks {
		for _, row := range s.rows {
			if row.ServerID == m.ServerID {
				row.Status = "CHECK_FAILED"
			}
		}
	}
	return nil
}

func (f *fakeCloud) ListServers(context.Context, time.Time) ([]Server, time.Time, error) {
	return nil, time.Time{}, nil
}

func (f *fakeCloud) ListFlavors(context.Context) ([]FlavorRow, error) { return nil, nil }

func (f *fakeCloud) GetServer(_ context.Context, id string) (*Server, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	status, ok := f.servers[id]
	if !ok {
		return nil, httpError(http.StatusNotFound)
	}
	return &Server{ID: id, Status: status, Launched: f.launched}, nil
}
