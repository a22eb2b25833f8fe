package nodegroups_test

import (
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

const (
	uuid  = "01234567-89ab-cdef-0123-456789abcdef"
	upper = "01234567-89AB-CDEF-0123-456789ABCDEF"
	// swapped is uuid as firmware shows it that takes the first three fields for big-endian.
	swapped = "67452301-ab89-efcd-0123-456789abcdef"
)

func TestParseProviderID(t *testing.T) {
	tests := map[string]struct {
		id, region string // "" id: foreign
	}{
		"openstack:///" + uuid:                         {uuid, ""},
		"openstack:///" + upper:                        {uuid, ""},
		"openstack://RegionOne/" + uuid:                {uuid, "RegionOne"},
		uuid:                                           {uuid, ""},
		upper:                                          {uuid, ""},
		"":                                             {},
		"openstack://" + uuid:                          {},
		"openstack:///":                                {},
		"openstack:///web-1":                           {},
		"openstack:///a/" + uuid:                       {},
		"openstack:///" + uuid + "/":                   {},
		"aws:///eu-1a/i-0123456789abcdef":              {},
		"aws:///" + uuid:                               {},
		"kind://docker/kind/worker":                    {},
		"01234567x89ab-cdef-0123-456789abcd":           {},
		"01234567-89ab-cdef-0123-456789abcdeg":         {},
		"01234567_89ab-cdef-0123-456789abcdef":         {},
		nodegroups.PlaceholderID(uuid, 1):              {},
		"openstack:///01234567-89ab-cdef-0123-456789a": {},
	}
	for providerID, want := range tests {
		id, region, err := nodegroups.ParseProviderID(providerID)
		assert.Equal(t, want.id, id, providerID)
		assert.Equal(t, want.region, region, providerID)
		if want.id == "" {
			assert.ErrorIs(t, err, nodegroups.ErrForeign, providerID)
		} else {
			assert.NoError(t, err, providerID)
		}
	}
}

func TestFormatProviderIDIsReadBack(t *testing.T) {
	assert.Equal(t, "openstack:///"+uuid, nodegroups.FormatProviderID("", uuid))
	id, region, err := nodegroups.ParseProviderID(nodegroups.FormatProviderID("r1", uuid))
	require.NoError(t, err)
	assert.Equal(t, []string{uuid, "r1"}, []string{id, region})
}

func node(name, providerID, systemUUID string) *v1.Node {
	return &v1.Node{
		ObjectMeta: metav1.ObjectMeta{Name: name}, Spec: v1.NodeSpec{ProviderID: providerID},
		Status: v1.NodeStatus{NodeInfo: v1.NodeSystemInfo{SystemUUID: systemUUID}},
	}
}

func TestServerIDFromNode(t *testing.T) {
	placeholder := nodegroups.PlaceholderID(fake.UUID("stack"), 3)
	tests := map[string]struct {
		node *v1.Node
		want string
	}{
		"provider id":                {node("n", "openstack://r/"+upper, ""), uuid},
		"provider id wins":           {node("n", "openstack:///"+uuid, fake.UUID("other")), uuid},
		"system UUID":                {node("n", "", upper), uuid},
		"placeholder":                {node(placeholder, placeholder, ""), placeholder},
		"another cloud's id settles": {node("n", "aws:///eu-1a/i-0", uuid), ""},
		"nothing":                    {node("n", "", ""), ""},
		"no UUID":                    {node("n", "", "Not Settable"), ""},
	}
	for name, test := range tests {
		got, err := nodegroups.ServerIDFromNode(test.node)
		assert.Equal(t, test.want, got, name)
		assert.Equal(t, test.want == "", err != nil, name)
		if err != nil {
			assert.ErrorIs(t, err, nodegroups.ErrForeign)
		}
	}
}

func TestSnapshotFindsNodesInEveryForm(t *testing.T) {
	s := fake.Stack("a", 1)
	s.Members[0].ServerID = uuid
	s.Target = 2
	placeholder := nodegroups.PlaceholderID(s.ID, 0)
	s.Members = append(s.Members, nodegroups.Member{StackID: s.ID, State: nodegroups.Creating, Placeholder: placeholder})
	groups, _ := nodegroups.Merge([]*nodegroups.Stack{s}, nil)
	snapshot := nodegroups.NewSnapshot(groups, nil)
	for name, n := range map[string]*v1.Node{
		"usual": node("n", "openstack:///"+uuid, ""), "region": node("n", "openstack://r/"+uuid, ""),
		"upper": node("n", "openstack:///"+upper, ""), "bare": node("n", uuid, ""),
		"system UUID": node("n", "", upper), "swapped": node("n", "", swapped),
	} {
		group, member := snapshot.ByNode(n)
		require.NotNil(t, group, name)
		assert.Equal(t, "a", group.Name)
		assert.Equal(t, uuid, member.ID(), name)
	}
	_, member := snapshot.ByNode(node(placeholder, placeholder, ""))
	require.NotNil(t, member)
	assert.Equal(t, placeholder, member.ID())
	for name, n := range map[string]*v1.Node{
		"foreign": node("n", "aws:///"+uuid, uuid), "unknown": node("n", "openstack:///"+swapped, uuid), "empty": node("n", "", ""),
	} {
		group, member := snapshot.ByNode(n)
		assert.Nil(t, group, name)
		assert.Nil(t, member, name)
	}
}

func TestPlaceholderIDs(t *testing.T) {
	stack, k, ok := nodegroups.ParsePlaceholderID(nodegroups.PlaceholderID(uuid, 12))
	assert.True(t, ok)
	assert.Equal(t, uuid, stack)
	assert.Equal(t, 12, k)
	assert.Equal(t, "placeholder-"+uuid+"-0", nodegroups.PlaceholderID(uuid, 0), "nodes carry it: it must not change")
	for _, id := range []string{"", uuid, "placeholder-", "placeholder-1", "placeholder-a-", "placeholder-a-x", "placeholder--1"} {
		assert.False(t, nodegroups.IsPlaceholder(id), id)
	}
}
