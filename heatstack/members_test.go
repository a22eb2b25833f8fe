package heatstack

import (
	"strconv"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

const (
	quotaReason = "Resource UPDATE failed: resources.nodes: Resource CREATE failed: Forbidden: resources[2].resources.server: " +
		"Quota exceeded for instances: Requested 1, but already used 2 of 2 instances (HTTP 403) (Request-ID: req-1)"
	memberReason = "Forbidden: resources.server: Quota exceeded for instances: Requested 1, but already used 2 of 2 instances (HTTP 403)"
)

// source describes the sources of one test.
type source struct {
	*memberSources
	created time.Time
	all     map[string]*Server
}

func newSource(status string, size int) *source {
	s := &source{created: time.Date(2026, 11, 23, 4, 0, 0, 0, time.UTC), all: map[string]*Server{}}
	s.memberSources = &memberSources{
		stackID: "st", status: status, size: size, servers: map[string]*Server{},
		removal: map[string]bool{}, removing: map[string]bool{}, lost: map[string]bool{},
		server: func(id string) *Server { return s.all[id] },
	}
	return s
}

// with adds a server that has metadata.
func (s *source) with(id, index, status string, launched bool) *source {
	server := &Server{
		ID: id, Status: status, Launched: launched, Created: s.created,
		Metadata: map[string]string{metadataStack: "st", metadataIndex: index},
	}
	s.created = s.created.Add(time.Minute)
	s.servers[id], s.all[id] = server, server
	return s
}

// bare adds a server without metadata.
func (s *source) bare(id, status string) *source {
	s.all[id] = &Server{ID: id, Status: status, Launched: status != novaBuild}
	return s
}

// row adds a row of Heat's current list.
func (s *source) listedAs(index, serverID, status, reason string) *source {
	s.listed, s.current = true, true
	s.listing = append(s.listing, MemberRow{Index: index, ServerID: serverID, Status: status, Reason: reason})
	return s
}

func (s *source) set(change func(*source)) *source {
	change(s)
	return s
}

// brief is a member in short: index, server or placeholder's number, state, failure's code.
func brief(members []nodegroups.Member) []string {
	all := []string{}
	for _, m := range members {
		text := m.Index + " " + m.ServerID
		if m.Placeholder != "" {
			_, k, _ := nodegroups.ParsePlaceholderID(m.Placeholder)
			text += "#" + strconv.Itoa(k)
		}
		text += " " + m.State.String()
		if m.Failure != nil {
			text += " " + m.Failure.Code
		}
		all = append(all, text)
	}
	return all
}

func TestTellMembers(t *testing.T) {
	tests := map[string]struct {
		in     *source
		want   []string
		agrees bool
	}{
		"empty":                                  {newSource("CREATE_COMPLETE", 0), []string{}, true},
		"by metadata":                            {newSource("UPDATE_COMPLETE", 3).with("c", "10", "ACTIVE", true).with("b", "2", "ACTIVE", true).with("a", "0", "SHUTOFF", true), []string{"0 a running", "2 b running", "10 c running"}, true},
		"missing":                                {newSource("UPDATE_IN_PROGRESS", 3).with("a", "0", "ACTIVE", true), []string{"0 a running", " #0 creating", " #1 creating"}, false},
		"pending":                                {newSource("UPDATE_IN_PROGRESS", 1).with("a", "0", "ACTIVE", true).set(func(s *source) { s.pending = 2 }), []string{"0 a running", " #0 creating", " #1 creating"}, true},
		"being started":                          {newSource("UPDATE_IN_PROGRESS", 1).with("a", "0", "BUILD", false), []string{"0 a creating"}, true},
		"error at once":                          {newSource("UPDATE_IN_PROGRESS", 1).with("a", "0", "ERROR", false).set(func(s *source) { s.all["a"].Fault = "No valid host was found." }), []string{"0 a failed NoValidHost"}, true},
		"error, Heat tries again":                {newSource("UPDATE_IN_PROGRESS", 1).with("a", "0", "ERROR", false).set(func(s *source) { s.all["a"].Fault, s.all["a"].TaskState = "No valid host was found.", "deleting" }), []string{"0 a failed NoValidHost"}, true},
		"error, removed by us":                   {newSource("UPDATE_IN_PROGRESS", 0).with("a", "0", "ERROR", false).set(func(s *source) { s.removing["a"] = true }), []string{"0 a deleting"}, true},
		"cancelled":                              {newSource("UPDATE_IN_PROGRESS", 0).with("a", "0", "BUILD", false).set(func(s *source) { s.all["a"].TaskState = "deleting" }), []string{"0 a deleting"}, true},
		"error of a server that ran":             {newSource("UPDATE_COMPLETE", 1).with("a", "0", "ERROR", true), []string{"0 a running"}, true},
		"rebuilt":                                {newSource("UPDATE_COMPLETE", 1).with("a", "0", "REBUILD", true), []string{"0 a running"}, true},
		"deleted by Nova":                        {newSource("UPDATE_IN_PROGRESS", 1).with("a", "0", "ACTIVE", true).with("b", "1", "ACTIVE", true).set(func(s *source) { s.all["b"].TaskState = "deleting" }), []string{"0 a running", "1 b deleting"}, true},
		"removed by us":                          {newSource("UPDATE_IN_PROGRESS", 1).with("a", "0", "ACTIVE", true).with("b", "1", "ACTIVE", true).set(func(s *source) { s.removing["a"] = true }), []string{"0 a deleting", "1 b running"}, true},
		"removed by somebody":                    {newSource("UPDATE_IN_PROGRESS", 1).with("a", "0", "ACTIVE", true).with("b", "1", "ACTIVE", true).set(func(s *source) { s.removal["0"] = true }), []string{"0 a deleting", "1 b running"}, true},
		"removed by somebody, and a check since": {newSource("CHECK_COMPLETE", 1).with("a", "0", "ACTIVE", true).with("b", "1", "ACTIVE", true).set(func(s *source) { s.removal["0"] = true }), []string{"0 a deleting", "1 b running"}, true},
		"a name Heat ignored":                    {newSource("UPDATE_COMPLETE", 1).with("a", "0", "ACTIVE", true).set(func(s *source) { s.removal["0"] = true }), []string{"0 a running"}, true},
		"replaced":                               {newSource("UPDATE_IN_PROGRESS", 1).with("old", "0", "ACTIVE", true).with("new", "0", "BUILD", false), []string{"0 new creating", "0 old deleting"}, true},
		"metadata without index":                 {newSource("UPDATE_COMPLETE", 2).with("a", "", "ACTIVE", true).with("b", "", "ACTIVE", true), []string{" a running", " b running"}, false},
		"index from Heat":                        {newSource("UPDATE_COMPLETE", 1).with("a", "", "ACTIVE", true).listedAs("7", "a", "CREATE_COMPLETE", ""), []string{"7 a running"}, true},
		"Heat knows the index better":            {newSource("UPDATE_COMPLETE", 1).with("a", "3", "ACTIVE", true).listedAs("7", "a", "CREATE_COMPLETE", ""), []string{"7 a running"}, true},
		"copied metadata":                        {newSource("UPDATE_COMPLETE", 1).with("a", "0", "ACTIVE", true).with("x", "0", "ACTIVE", true).listedAs("0", "a", "CREATE_COMPLETE", ""), []string{"0 a running"}, true},
		"no metadata":                            {newSource("UPDATE_COMPLETE", 2).bare("a", "ACTIVE").bare("b", "BUILD").bare("x", "ACTIVE").listedAs("0", "a", "CREATE_COMPLETE", "").listedAs("1", "b", "CREATE_COMPLETE", ""), []string{"0 a running", "1 b creating"}, true},
		"no metadata, moved since":               {newSource("UPDATE_IN_PROGRESS", 3).bare("a", "ACTIVE").listedAs("0", "a", "CREATE_COMPLETE", "").listedAs("1", "gone", "CREATE_COMPLETE", "").set(func(s *source) { s.current = false }), []string{"0 a running", " #0 creating", " #1 creating"}, false},
		"Heat deletes it":                        {newSource("UPDATE_IN_PROGRESS", 1).bare("a", "ACTIVE").bare("b", "ACTIVE").listedAs("0", "a", "DELETE_IN_PROGRESS", "").listedAs("1", "b", "CREATE_COMPLETE", ""), []string{"0 a deleting", "1 b running"}, true},
		"Heat has deleted its server":            {newSource("UPDATE_IN_PROGRESS", 1).bare("b", "ACTIVE").listedAs("0", "a", "DELETE_IN_PROGRESS", "").listedAs("1", "b", "CREATE_COMPLETE", ""), []string{"1 b running"}, true},
		"not in Nova's list yet":                 {newSource("UPDATE_IN_PROGRESS", 1).listedAs("0", "a", "CREATE_IN_PROGRESS", ""), []string{"0 a creating"}, true},
		"not in Nova's list any more":            {newSource("UPDATE_COMPLETE", 1).listedAs("0", "a", "CREATE_COMPLETE", ""), []string{"0 a running"}, true},
		"lost":                                   {newSource("CHECK_FAILED", 1).listedAs("0", "a", "CHECK_FAILED", "NotFound").set(func(s *source) { s.lost["a"] = true }), []string{"0 a lost"}, true},
		"quota, nothing listed":                  {newSource("UPDATE_FAILED", 2).with("a", "0", "ACTIVE", true).set(func(s *source) { s.reason = quotaReason }), []string{"0 a running", " #0 failed QuotaExceeded"}, false},
		"quota, nothing listed, pending":         {newSource("UPDATE_FAILED", 1).set(func(s *source) { s.reason, s.pending = quotaReason, 1 }), []string{" #0 failed QuotaExceeded", " #1 creating"}, false},
		"quota": {newSource("UPDATE_FAILED", 4).with("a", "0", "ACTIVE", true).
			listedAs("0", "a", "CREATE_COMPLETE", "").listedAs("1", "", "CREATE_FAILED", memberReason).listedAs("2", "", "INIT_COMPLETE", "").
			set(func(s *source) { s.reason = quotaReason }),
			[]string{"0 a running", "1 #0 failed QuotaExceeded", "2 #1 failed QuotaExceeded", " #2 failed QuotaExceeded"}, false},
		"no valid host, given up":  {newSource("UPDATE_FAILED", 1).with("a", "0", "ERROR", false).listedAs("0", "a", "CREATE_FAILED", "ResourceInError: Went to status ERROR due to \"Message: No valid host was found. , Code: 500\""), []string{"0 a failed NoValidHost"}, true},
		"its ERROR server is gone": {newSource("UPDATE_FAILED", 1).listedAs("0", "a", "CREATE_FAILED", "No valid host was found").set(func(s *source) { s.lost["a"] = true }), []string{"0 #0 failed NoValidHost"}, false},
		"started since Heat was asked": {newSource("UPDATE_FAILED", 2).with("a", "0", "ACTIVE", true).with("b", "1", "ACTIVE", true).
			listedAs("0", "a", "CREATE_COMPLETE", "").listedAs("1", "", "CREATE_IN_PROGRESS", ""), []string{"0 a running", "1 b running"}, true},
		"retried under another server": {newSource("UPDATE_IN_PROGRESS", 1).with("b", "0", "BUILD", false).
			listedAs("0", "a", "CREATE_IN_PROGRESS", ""), []string{"0 b creating"}, true},
		"could not be started": {newSource("UPDATE_IN_PROGRESS", 4).with("a", "0", "ACTIVE", true).with("b", "2", "BUILD", false).set(func(s *source) {
			s.faults = map[string]string{"10": "No valid host was found.", "2": "No valid host was found.", "0": "long ago"}
		}), []string{"0 a running", "2 b failed NoValidHost", "10 #0 failed NoValidHost", " #1 creating"}, false},
		"could not be started, made now": {newSource("UPDATE_IN_PROGRESS", 1).with("a", "0", "ACTIVE", true).set(func(s *source) {
			s.faults = map[string]string{"0": "x", "1": "x"}
		}), []string{"0 a running"}, true},
		"failed in Heat, alive in Nova": {newSource("CREATE_FAILED", 1).with("a", "0", "ACTIVE", true).listedAs("0", "a", "CREATE_FAILED", "CREATE aborted"), []string{"0 a running"}, true},
		"failed while others go on":     {newSource("UPDATE_IN_PROGRESS", 1).listedAs("0", "", "CREATE_FAILED", memberReason), []string{"0 #0 failed QuotaExceeded"}, false},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			view := tellMembers(test.in.memberSources)
			assert.Equal(t, test.want, brief(view.members))
			assert.Equal(t, test.agrees, view.agrees)
			for _, m := range view.members {
				assert.Equal(t, "st", m.StackID)
				assert.NotEmpty(t, m.ID())
				assert.Equal(t, m.State == nodegroups.Failed, m.Failure != nil, "a failure if and only if it has failed")
			}
		})
	}
}

func TestFailedMembersCarryTheCloudsWords(t *testing.T) {
	in := newSource("UPDATE_FAILED", 2).listedAs("0", "", "CREATE_FAILED", memberReason).listedAs("1", "", "INIT_COMPLETE", "")
	in.reason = quotaReason
	members := tellMembers(in.memberSources).members
	assert.Equal(t, memberReason, members[0].Failure.Message)
	assert.Equal(t, quotaReason, members[1].Failure.Message, "it was never started, the stack says why")
}

func TestMembersKeepTheirPlaceholders(t *testing.T) {
	creating := tellMembers(newSource("UPDATE_IN_PROGRESS", 2).memberSources).members
	in := newSource("UPDATE_FAILED", 2).listedAs("4", "", "CREATE_FAILED", "x").listedAs("5", "", "CREATE_FAILED", "x")
	failed := tellMembers(in.memberSources).members
	require.Len(t, failed, 2)
	for i := range failed {
		assert.Equal(t, creating[i].Placeholder, failed[i].Placeholder)
	}
}

func TestLiveServersOfMembers(t *testing.T) {
	in := newSource("UPDATE_IN_PROGRESS", 2).with("a", "0", "ACTIVE", true).with("b", "1", "ACTIVE", true)
	in.removing["b"] = true
	view := tellMembers(in.memberSources)
	require.Len(t, view.live, 2, "those that are being deleted are alive too")
	assert.Equal(t, "a", view.live[0].ID)
}

func TestCompareIndices(t *testing.T) {
	ordered := []string{"0", "2", "10", "a", "b", ""}
	for i, a := range ordered {
		for j, b := range ordered {
			got := compareIndices(a, b)
			switch {
			case i < j:
				assert.Negative(t, got, "%q %q", a, b)
			case i > j:
				assert.Positive(t, got, "%q %q", a, b)
			default:
				assert.Zero(t, got, "%q %q", a, b)
			}
		}
	}
}
