package heatstack

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Heat has carried out a foreign update twice, and made a member again whose index it had written down.
func TestPlanLeavesAStrayAlone(t *testing.T) {
	o := observation{Status: "UPDATE_COMPLETE", Count: 4, Append: true, Members: true, Rows: rowsOf("0 1 2 3"), Group: GroupState{Removed: []string{"3"}}}
	for name, w := range map[string]wishes{
		"removal": {Remove: server("s0")}, "replacement": {Replace: server("s0")}, "shrinking": {Shrink: []int{1}}, "retry": {Retry: true},
	} {
		p := makePlan(o, w)
		require.False(t, p.Patch, "%s: member 3 would go, which nobody has named", name)
	}
	d := makePlan(o, wishes{Remove: server("s0")}).Remove[0]
	require.Equal(t, verdictWait, d.verdict)
	require.ErrorContains(t, d.err, "members [3] live")

	p := makePlan(o, wishes{Remove: server("s3")})
	require.True(t, p.Patch)
	require.Equal(t, 4, p.Count, "member 4 comes, as Heat has it in mind")
	require.Equal(t, []victim{{Index: 3, ServerID: "s3"}}, p.Victims)
	require.Equal(t, verdictSend, makePlan(o, wishes{Remove: append(server("s0"), server("s3")...)}).Remove[0].verdict)
}
