package heatstack

import (
	"fmt"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// rowsOf reads a listing such as "0 2:CREATE_FAILED 3:-": members with server s<index>, in CREATE_COMPLETE unless it says
// otherwise; "-" is a member without a server, "CREATE_FAILED-" a failed one without.
func rowsOf(text string) []MemberRow {
	var out []MemberRow
	for _, field := range strings.Fields(text) {
		index, status, _ := strings.Cut(field, ":")
		row := MemberRow{Index: index, ServerID: "s" + index, Status: "CREATE_COMPLETE"}
		if bare, isServerless := strings.CutSuffix(status, "-"); isServerless {
			row.ServerID, status = "", bare
			row.Status = "CREATE_IN_PROGRESS"
		}
		if status != "" {
			row.Status = status
		}
		out = append(out, row)
	}
	return out
}

func server(ids ...string) []nodegroups.Member {
	var out []nodegroups.Member
	for _, id := range ids {
		out = append(out, nodegroups.Member{ServerID: id})
	}
	return out
}

func failed(index int, serverID string) []nodegroups.Member {
	return []nodegroups.Member{{Index: strconv.Itoa(index), ServerID: serverID, State: nodegroups.Failed, Failure: &nodegroups.Failure{}}}
}

func unmade(index int) nodegroups.Member {
	return nodegroups.Member{Index: strconv.Itoa(index), Placeholder: "p"}
}

// verdicts shows decisions in one word each.
func verdicts(lists ...[]decision) string {
	var out []string
	for _, list := range lists {
		for _, d := range list {
			out = append(out, [...]string{"wait", "send", "done", "refuse"}[d.verdict])
		}
	}
	return strings.Join(out, ",")
}

func TestPlan(t *testing.T) {
	for name, tc := range map[string]struct {
		status           string // UPDATE_COMPLETE if empty
		rows, removed    string
		list             string
		count            int
		own, update      bool
		restless         bool
		wish             wishes
		patch            string // "size list", empty for no update
		grow, shrink, rm string
		replace          string // verdicts on replacements
		keep             string
	}{
		"growth":                           {rows: "0 1", count: 2, wish: wishes{Grow: []int{2, 1}}, patch: "5 <nil>", grow: "send,send", keep: "0 1"},
		"growth above the maximum":         {rows: "0 1", count: 2, wish: wishes{Grow: []int{2, 1}, Max: 3}, patch: "3 <nil>", grow: "refuse,send", keep: "0 1"},
		"growth of nothing":                {rows: "0", count: 1, wish: wishes{Grow: []int{0}}, grow: "refuse"},
		"removal":                          {rows: "0 1 2", count: 3, wish: wishes{Remove: server("s1")}, patch: "2 [1]", rm: "send", keep: "0 2"},
		"removal with gaps":                {rows: "0 2 5", removed: "1 3 4", list: "4", count: 3, wish: wishes{Remove: server("s2")}, patch: "2 [2]", rm: "send", keep: "0 5"},
		"removal of all":                   {rows: "0 2", removed: "1", count: 2, wish: wishes{Remove: server("s2", "s0")}, patch: "0 [0 2]", rm: "send,send"},
		"growth and removal":               {rows: "0 1 2", count: 3, wish: wishes{Grow: []int{1}, Remove: server("s0")}, patch: "3 [0]", grow: "send", rm: "send", keep: "1 2"},
		"the same victim twice":            {rows: "0 1 2", count: 3, wish: wishes{Remove: server("s0", "s0")}, patch: "2 [0]", rm: "send,send", keep: "1 2"},
		"replacement":                      {rows: "0 1 2", count: 3, wish: wishes{Replace: server("s1")}, patch: "3 [1]", replace: "send", keep: "0 2"},
		"replacement of the highest":       {rows: "0 1 2", count: 3, wish: wishes{Replace: server("s2")}, patch: "3 [2]", replace: "send", keep: "0 1"},
		"replacement of two with a gap":    {rows: "0 2 3", removed: "1", count: 3, wish: wishes{Replace: server("s0", "s3")}, patch: "3 [0 3]", replace: "send,send", keep: "2"},
		"replacement above the maximum":    {rows: "0 1 2", count: 3, wish: wishes{Replace: server("s1"), Max: 2}, patch: "3 [1]", replace: "send", keep: "0 2"},
		"replacement of what is gone":      {rows: "0 1", count: 2, wish: wishes{Replace: server("gone")}, replace: "done"},
		"replacement of what is going":     {rows: "0 1 2", list: "1", count: 2, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Replace: server("s1")}, replace: "done"},
		"replacement beside a removal":     {rows: "0 1 2", count: 3, wish: wishes{Replace: server("s1"), Remove: server("s0")}, patch: "2 [0 1]", rm: "send", replace: "send", keep: "2"},
		"replaced and removed":             {rows: "0 1 2", count: 3, wish: wishes{Replace: server("s1"), Remove: server("s1")}, patch: "2 [1]", rm: "send", replace: "send", keep: "0 2"},
		"replacement beside growth":        {rows: "0 1", count: 2, wish: wishes{Replace: server("s0"), Grow: []int{2}}, patch: "4 [0]", grow: "send", replace: "send", keep: "1"},
		"growth and replacement, full":     {rows: "0 1", count: 2, wish: wishes{Replace: server("s0"), Grow: []int{1}, Max: 2}, patch: "2 [0]", grow: "refuse", replace: "send", keep: "1"},
		"replacement in a human's update":  {rows: "0 1", count: 3, status: "UPDATE_IN_PROGRESS", wish: wishes{Replace: server("s0")}, replace: "wait"},
		"replacement in our own growth":    {rows: "0 1 2:-", count: 3, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Replace: server("s0")}, replace: "wait"},
		"replacement of a failed deletion": {rows: "0 1:DELETE_FAILED 2", removed: "1", list: "1", count: 2, status: "UPDATE_FAILED", wish: wishes{Replace: server("s1")}, patch: "2 [1]", replace: "send", keep: "0 2"},
		"update mode: replacement":         {update: true, rows: "0 2", removed: "1", list: "1", count: 2, wish: wishes{Replace: server("s2")}, patch: "2 [1 2]", replace: "send", keep: "0"},
		"replacement beside an unhealthy":  {rows: "0 1:CHECK_FAILED", count: 2, status: "CHECK_FAILED", wish: wishes{Replace: server("s0")}, replace: "refuse"},
		"a victim that is gone":            {rows: "0 1 2", count: 3, wish: wishes{Remove: server("gone")}, rm: "done"},
		"one gone, one not":                {rows: "0 1 2", count: 3, wish: wishes{Remove: server("gone", "s2")}, patch: "2 [2]", rm: "done,send", keep: "0 1"},
		"the index holds another server":   {rows: "0 1 2", count: 3, wish: wishes{Remove: []nodegroups.Member{{Index: "1", ServerID: "old"}}}, rm: "done"},
		"the listing knows the index best": {rows: "0 1 2", count: 3, wish: wishes{Remove: []nodegroups.Member{{Index: "0", ServerID: "s2"}}}, patch: "2 [2]", rm: "send", keep: "0 1"},
		"being deleted already":            {rows: "0 1:DELETE_IN_PROGRESS 2", list: "1", count: 2, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Remove: server("s1")}, rm: "done"},
		"ordered, Heat has not begun":      {rows: "0 1 2", list: "1", count: 2, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Remove: server("s1")}, rm: "done"},
		"a deletion that failed":           {rows: "0 1:DELETE_FAILED 2", removed: "1", list: "1", count: 2, status: "UPDATE_FAILED", wish: wishes{Remove: server("s1")}, patch: "2 [1]", rm: "send", keep: "0 2"},
		"two removals in a row": {
			rows: "0 1 2 3", list: "1", count: 3, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Remove: server("s2")},
			rm: "wait",
		},
		"two removals, the first one done": {
			rows: "0 2 3", removed: "1", list: "1", count: 3, own: true, wish: wishes{Remove: server("s2")},
			patch: "2 [2]", rm: "send", keep: "0 3",
		},
		"our order failed before Heat saw it": {
			rows: "0 1 2 3", list: "1", count: 4, own: true, status: "UPDATE_FAILED", wish: wishes{Remove: server("s2")},
			patch: "3 [1 2]", rm: "send", keep: "0 3", // 4 is to be made in place of 1
		},
		"a human's order failed before Heat saw it": {
			rows: "0 1 2 3", list: "1", count: 3, status: "UPDATE_FAILED", wish: wishes{Grow: []int{1}}, patch: "4 [1]", grow: "send", keep: "0 2 3",
		},
		"removal while our growth runs": {
			rows: "0 1 2:- 3:INIT_COMPLETE-", count: 4, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Remove: server("s0")},
			rm: "wait",
		},
		"removal of a failed and a good one while our growth runs": {
			rows: "0 1 2:- 3:CREATE_FAILED", count: 4, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Remove: append(server("s0"), failed(3, "s3")...)},
			patch: "3 [3]", rm: "wait,send", keep: "0 1",
		},
		// Were it carried out twice, the second time without knowing 2 and 3, member 5 would be lost, which is made.
		"removal of failed ones below a made one while our growth runs": {
			rows: "0 1 2:CREATE_FAILED 3:CREATE_FAILED 4 5 6:-", count: 7, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Remove: append(failed(2, "s2"), failed(3, "s3")...), Grow: []int{1}},
			patch: "8 <nil>", rm: "wait,wait", grow: "send", keep: "0 1 4 5",
		},
		// One that waits is not named: growth would replace its server.
		"growth beside an unhealthy one whose removal waits": {
			rows: "0 1 2:CHECK_FAILED 3:CREATE_FAILED 4 5", count: 6, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Remove: append(failed(2, "s2"), failed(3, "s3")...), Grow: []int{1}},
			rm: "wait,wait", grow: "refuse",
		},
		"removal of a failed one below a made one and one that is not": {
			rows: "0 1 2:CREATE_FAILED 3 4:-", count: 5, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Remove: failed(2, "s2")},
			rm: "wait",
		},
		"removal of a failed one below one that is not made": {
			rows: "0 1 2:CREATE_FAILED 3:-", count: 4, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Remove: failed(2, "s2"), Grow: []int{1}},
			patch: "5 <nil>", rm: "wait", grow: "send", keep: "0 1",
		},
		// Carried out once more, the growth would make the named one again.
		"removal of the highest, failed, and growth": {
			rows: "0 1 2:CREATE_FAILED", count: 3, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Remove: failed(2, "s2"), Grow: []int{1}},
			patch: "4 <nil>", rm: "wait", grow: "send", keep: "0 1",
		},
		"growth while our removal is not written down": {
			rows: "0 1 2", list: "0", count: 2, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Grow: []int{1}}, grow: "wait",
		},
		"growth while our removal runs": {
			rows: "0:DELETE_IN_PROGRESS 1 2", list: "0", removed: "0", count: 2, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Grow: []int{1}},
			patch: "3 <nil>", grow: "send", keep: "1 2",
		},
		"removal after a growth that overtook another": {rows: "0 1 2", count: 3, own: true, restless: true, wish: wishes{Remove: server("s0")}, rm: "wait"},
		"removal of what was not made by a growth that overtook another": {
			rows: "0 1:CREATE_FAILED 2:-", count: 3, own: true, status: "UPDATE_FAILED", restless: true, wish: wishes{Remove: append(failed(1, "s1"), failed(2, "")...)}, rm: "wait,wait",
		},
		"removal after a cancelled update that goes on":     {rows: "0 1 2:CREATE_IN_PROGRESS", count: 3, own: true, status: "UPDATE_FAILED", wish: wishes{Remove: server("s0")}, rm: "wait"},
		"removal after a failed update that does not go on": {rows: "0 1 2:CREATE_FAILED", count: 3, own: true, status: "UPDATE_FAILED", wish: wishes{Remove: server("s0")}, patch: "2 [0]", rm: "send", keep: "1"},
		"growth after a growth that overtook another":       {rows: "0 1 2", count: 3, own: true, restless: true, wish: wishes{Grow: []int{1}}, patch: "4 <nil>", grow: "send", keep: "0 1 2"},
		"a member still being made":                         {rows: "0 1:-", count: 2, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Remove: []nodegroups.Member{unmade(1)}}, patch: "1 [1]", rm: "send", keep: "0"},
		"it has got a server meanwhile":                     {rows: "0 1", count: 2, wish: wishes{Remove: []nodegroups.Member{unmade(1)}}, rm: "refuse"},
		"an unmade member that is gone":                     {rows: "0", count: 1, wish: wishes{Remove: []nodegroups.Member{unmade(1)}}, rm: "done"},
		"a member without a name":                           {rows: "0", count: 1, wish: wishes{Remove: []nodegroups.Member{{Placeholder: "p"}}}, rm: "refuse"},
		"a server Heat has not tied to its member":          {rows: "0 1:-", count: 2, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Remove: []nodegroups.Member{{Index: "1", ServerID: "s1"}}}, rm: "done"},
		"failed members with and without a server":          {rows: "0 1:CREATE_FAILED 2:CREATE_FAILED-", count: 3, status: "UPDATE_FAILED", wish: wishes{Remove: append(server("s1"), unmade(2))}, patch: "1 [1 2]", rm: "send,send", keep: "0"},
		"a failed member, others not listed":                {rows: "0 1 3 4:CREATE_FAILED", count: 5, status: "UPDATE_FAILED", wish: wishes{Remove: server("s4")}, patch: "4 [4]", rm: "send", keep: "0 1 3"},
		"shrink what is missing at the top":                 {rows: "0 1", count: 4, status: "UPDATE_FAILED", wish: wishes{Shrink: []int{1, 1}}, patch: "2 <nil>", shrink: "send,send", keep: "0 1"},
		"shrink more than is missing":                       {rows: "0 1", count: 3, status: "UPDATE_FAILED", wish: wishes{Shrink: []int{1, 1}}, patch: "2 <nil>", shrink: "send,refuse", keep: "0 1"},
		"shrink a gap that Heat does not list":              {rows: "0 1 3", count: 4, status: "UPDATE_FAILED", wish: wishes{Shrink: []int{1}}, shrink: "refuse"},
		"shrink a gap and remove what is above":             {rows: "0 1 3", count: 4, status: "UPDATE_FAILED", wish: wishes{Shrink: []int{1}, Remove: server("s3")}, patch: "2 [3]", shrink: "send", rm: "send", keep: "0 1"},
		"shrink members without a server":                   {rows: "0 1:- 2 3:CREATE_FAILED- 4:-", count: 5, status: "UPDATE_FAILED", wish: wishes{Shrink: []int{2}}, patch: "3 [3 4]", shrink: "send", keep: "0 2"},
		"shrink in order":                                   {rows: "0 1", count: 2, wish: wishes{Shrink: []int{1}}, shrink: "refuse"},
		"shrink nothing":                                    {rows: "0 1", count: 2, wish: wishes{Shrink: []int{0}}, shrink: "refuse"},
		"shrink and growth":                                 {rows: "0", count: 2, status: "UPDATE_FAILED", wish: wishes{Shrink: []int{1}, Grow: []int{2}}, patch: "3 <nil>", shrink: "send", grow: "send", keep: "0"},
		"a human lowered the count and Heat failed":         {rows: "0 1 2 3", count: 2, status: "UPDATE_FAILED", wish: wishes{Remove: server("s3")}, patch: "2 [3]", rm: "send", keep: "0 1"},
		"growth saves what a human gave up":                 {rows: "0 1 2 3", count: 3, status: "UPDATE_FAILED", wish: wishes{Grow: []int{1}}, patch: "4 <nil>", grow: "send", keep: "0 1 2"},
		"a human's update runs":                             {rows: "0 1 2", count: 4, status: "UPDATE_IN_PROGRESS", wish: wishes{Grow: []int{1}, Remove: server("s0"), Shrink: []int{1}}, patch: "5 <nil>", grow: "send", rm: "wait", shrink: "wait"},
		"a human's update runs, list known to Heat":         {rows: "0 2 3", removed: "1", list: "1", count: 4, status: "UPDATE_IN_PROGRESS", wish: wishes{Grow: []int{1}}, patch: "5 <nil>", grow: "send"},
		"a human's removal runs":                            {rows: "0 1 2", list: "1", count: 2, status: "UPDATE_IN_PROGRESS", wish: wishes{Grow: []int{1}}, grow: "wait"},
		"the first creation runs":                           {count: 3, status: "CREATE_IN_PROGRESS", wish: wishes{Grow: []int{1}}, patch: "4 <nil>", grow: "send"},
		"another action runs":                               {rows: "0 1", count: 2, status: "CHECK_IN_PROGRESS", wish: wishes{Grow: []int{1}, Remove: server("s0")}, grow: "wait", rm: "wait"},
		"a rollback runs":                                   {rows: "0 1", count: 2, status: "ROLLBACK_IN_PROGRESS", wish: wishes{Grow: []int{1}}, grow: "wait"},
		"a rollback is through":                             {rows: "0 1", count: 2, status: "ROLLBACK_COMPLETE", wish: wishes{Remove: server("s0")}, patch: "1 [0]", rm: "send", keep: "1"},
		"the stack is being deleted":                        {rows: "0 1", count: 2, status: "DELETE_IN_PROGRESS", wish: wishes{Grow: []int{1}, Remove: server("s0")}, grow: "refuse", rm: "refuse"},
		"the stack is suspended":                            {rows: "0 1", count: 2, status: "SUSPEND_COMPLETE", wish: wishes{Grow: []int{1}}, grow: "refuse"},
		"a status nobody knows":                             {rows: "0 1", count: 2, status: "INIT", wish: wishes{Grow: []int{1}}, grow: "refuse"},
		"a stale name is taken out by growth":               {rows: "0 1 2", list: "2", count: 3, wish: wishes{Grow: []int{1}}, patch: "4 []", grow: "send", keep: "0 1 2"},
		"a name of the future is taken out":                 {rows: "0 1 2", list: "3", count: 3, wish: wishes{Grow: []int{1}}, patch: "4 []", grow: "send", keep: "0 1 2"},
		"a failed member, tried again":                      {rows: "0 1:CREATE_IN_PROGRESS", count: 2, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Remove: failed(1, "old")}, patch: "1 [1]", rm: "send", keep: "0"},
		"between two tries":                                 {rows: "0 1:DELETE_IN_PROGRESS-", count: 2, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Remove: failed(1, "old")}, patch: "1 [1]", rm: "send", keep: "0"},
		"its server was never seen":                         {rows: "0 1:CREATE_IN_PROGRESS", count: 2, own: true, status: "UPDATE_IN_PROGRESS", wish: wishes{Remove: failed(1, "")}, patch: "1 [1]", rm: "send", keep: "0"},
		"a failed member that was made after all":           {rows: "0 1", count: 2, wish: wishes{Remove: failed(1, "old")}, rm: "done"},
		"a failed member that is gone":                      {rows: "0", removed: "1", count: 1, wish: wishes{Remove: failed(1, "old")}, rm: "done"},
		"a stale server id is taken out":                    {rows: "0 1 2", list: "s2", count: 3, wish: wishes{Remove: server("s0")}, patch: "2 [0]", rm: "send", keep: "1 2"},
		"old names are not repeated":                        {rows: "0 2", removed: "1", list: "1", count: 2, wish: wishes{Grow: []int{1}}, patch: "3 []", grow: "send", keep: "0 2"},
		"update mode: growth keeps the blacklist":           {update: true, rows: "0 2", removed: "1", list: "1", count: 2, wish: wishes{Grow: []int{1}}, patch: "3 [1]", grow: "send", keep: "0 2"},
		"update mode: removal adds to it":                   {update: true, rows: "0 2 3", removed: "1", list: "1", count: 3, wish: wishes{Remove: server("s3")}, patch: "2 [1 3]", rm: "send", keep: "0 2"},
		"update mode: a list that was cleared":              {update: true, rows: "0 2 3", removed: "1", count: 3, status: "UPDATE_FAILED", wish: wishes{Remove: server("s3")}, patch: "2 [1 3]", rm: "send", keep: "0 2"},
		"update mode: nothing to keep":                      {update: true, rows: "0 1", count: 2, wish: wishes{Grow: []int{1}}, patch: "3 <nil>", grow: "send", keep: "0 1"},
		"update mode: retry repeats the list":               {update: true, rows: "0 2:CREATE_FAILED", removed: "1", list: "1", count: 2, status: "UPDATE_FAILED", wish: wishes{Retry: true}, patch: "2 [1]", keep: "0"},
		"retry":                                             {rows: "0 1:CREATE_FAILED", count: 2, status: "UPDATE_FAILED", wish: wishes{Retry: true}, patch: "2 <nil>", keep: "0"},
		"a living member is CHECK_FAILED":                   {rows: "0 1:CHECK_FAILED", count: 2, status: "CHECK_FAILED", wish: wishes{Grow: []int{1}, Remove: server("s0"), Shrink: []int{1}}, grow: "refuse", rm: "refuse", shrink: "refuse"},
		"it is the victim":                                  {rows: "0 1:CHECK_FAILED", count: 2, status: "CHECK_FAILED", wish: wishes{Remove: server("s1")}, patch: "1 [1]", rm: "send", keep: "0"},
		"a dead member is CHECK_FAILED":                     {rows: "0 dead 1", count: 2, status: "CHECK_FAILED", wish: wishes{Grow: []int{1}}, grow: "wait"},
		"at rest and yet too many members":                  {rows: "0 1 2", count: 2, wish: wishes{Remove: server("s0")}, rm: "wait"},
		"too many members after a check":                    {rows: "0 1 2", count: 2, status: "CHECK_COMPLETE", wish: wishes{Remove: server("s2")}, patch: "2 [2]", rm: "send", keep: "0 1"},
		"a member being replaced":                           {rows: "0 1 1:UPDATE_COMPLETE", count: 2, wish: wishes{Remove: []nodegroups.Member{{ServerID: "s0"}}}, patch: "1 [0]", rm: "send", keep: "1"},
	} {
		t.Run(name, func(t *testing.T) {
			status := tc.status
			if status == "" {
				status = "UPDATE_COMPLETE"
			}
			o := observation{
				Status: status, Count: tc.count, List: parseList(tc.list), Append: !tc.update, Own: tc.own, OwnList: tc.own, Restless: tc.restless,
				Members: true, Rows: rowsOf(tc.rows), Group: GroupState{Removed: strings.Fields(tc.removed)},
			}
			p := makePlan(o, tc.wish)
			got := ""
			if p.Patch {
				list := "<nil>"
				if p.List != nil {
					list = fmt.Sprint(p.List)
				}
				got = fmt.Sprint(p.Count, " ", list)
			}
			assert.Equal(t, tc.patch, got)
			assert.Equal(t, tc.grow, verdicts(p.Grow), "growth")
			assert.Equal(t, tc.shrink, verdicts(p.Shrink), "shrinking")
			assert.Equal(t, tc.rm, verdicts(p.Remove), "removal")
			assert.Equal(t, tc.replace, verdicts(p.Replace), "replacement")
			var keep []string
			for _, k := range p.Keep {
				keep = append(keep, strconv.Itoa(k.Index))
			}
			assert.Equal(t, tc.keep, strings.Join(keep, " "), "kept")
			for _, list := range p.lists() {
				for _, d := range list {
					if d.verdict == verdictRefuse || d.verdict == verdictWait {
						require.Error(t, d.err, "the caller is told why")
					}
				}
			}
		})
	}
}

func TestPlanAsksForMembersOnlyWhenItNeedsThem(t *testing.T) {
	rest := observation{Status: "UPDATE_COMPLETE", Count: 2, Append: true}
	grow := wishes{Grow: []int{1}}
	assert.False(t, makePlan(rest, grow).NeedMembers)
	assert.True(t, makePlan(rest, wishes{Remove: server("s0")}).NeedMembers)
	assert.True(t, makePlan(rest, wishes{Replace: server("s0")}).NeedMembers)
	assert.True(t, makePlan(rest, wishes{Shrink: []int{1}}).NeedMembers)
	assert.True(t, makePlan(rest, wishes{Retry: true}).NeedMembers)

	named := rest
	named.List = []string{"1"}
	assert.True(t, makePlan(named, grow).NeedMembers, "somebody else's list")
	named.OwnList = true
	assert.False(t, makePlan(named, grow).NeedMembers)

	update := rest
	update.Append = false
	assert.True(t, makePlan(update, grow).NeedMembers)

	failed := rest
	failed.Status = "UPDATE_FAILED"
	assert.True(t, makePlan(failed, grow).NeedMembers)

	foreign := rest
	foreign.Status = "UPDATE_IN_PROGRESS"
	assert.False(t, makePlan(foreign, grow).NeedMembers)
	assert.False(t, makePlan(foreign, wishes{Remove: server("s0")}).NeedMembers, "it waits anyway")
	foreign.List = []string{"1"}
	assert.True(t, makePlan(foreign, grow).NeedMembers)

	hidden := rest
	hidden.Status, hidden.Own, hidden.Unconfirmed = "UPDATE_IN_PROGRESS", true, true
	p := makePlan(hidden, grow)
	assert.False(t, p.Patch)
	assert.Equal(t, "wait", verdicts(p.Grow))
}

func TestPlanKnowsDeadMembersAndReferences(t *testing.T) {
	o := observation{
		Status: "CHECK_FAILED", Count: 2, Append: true, Members: true, Rows: rowsOf("0 1:CHECK_FAILED"),
		Dead: map[string]bool{"s1": true},
	}
	assert.True(t, makePlan(o, wishes{Grow: []int{1}}).Patch, "Heat makes it anew, which is right")

	// The ARN of a nested member, as a human may write it, is an order for that member.
	rows := rowsOf("0 1 2")
	for i := range rows {
		rows[i].StackID = "stack" + rows[i].Index
	}
	nested := observation{
		Status: "UPDATE_FAILED", Count: 2, Append: true, Members: true, Nested: true, Rows: rows,
		List: []string{"arn:openstack:heat::p:stacks/g-1-x/stack1"},
	}
	p := makePlan(nested, wishes{Retry: true})
	assert.Equal(t, []string{"1"}, p.List)
	assert.Equal(t, 2, p.Count)
}

func TestPlanWaitsWhileAMemberIsReplaced(t *testing.T) {
	rows := []MemberRow{
		{Index: "0", ServerID: "new", Status: "CREATE_COMPLETE"}, {Index: "0", ServerID: "old", Status: "UPDATE_COMPLETE"},
		{Index: "1", ServerID: "gone", Status: "DELETE_IN_PROGRESS"}, {Index: "1", ServerID: "s1", Status: "CREATE_COMPLETE"},
	}
	o := observation{Status: "UPDATE_COMPLETE", Count: 2, Append: true, Members: true, Rows: rows}
	p := makePlan(o, wishes{Remove: server("old", "gone", "s1")})
	assert.Equal(t, "wait,done,send", verdicts(p.Remove))
	assert.Equal(t, []string{"1"}, p.List)
}

func TestIndicesAndParameters(t *testing.T) {
	assert.Equal(t, []int{0, 2, 3}, firstFree(3, indexSet{1: true}).sorted())
	assert.Empty(t, firstFree(-1, nil))
	for _, tc := range []struct {
		text string
		want int
	}{{"3", 3}, {" 0 ", 0}, {"4.0", 4}} {
		got, ok := parseSize(tc.text)
		assert.True(t, ok, tc.text)
		assert.Equal(t, tc.want, got)
	}
	for _, text := range []string{"", "x", "-1", "1.5", "-2.0", "******"} {
		_, ok := parseSize(text)
		assert.False(t, ok, text)
	}
	for _, text := range []string{"01", "-1", "+1", "x", ""} {
		_, ok := parseIndex(text)
		assert.False(t, ok, text)
	}
	assert.Equal(t, []string{"1", "2"}, parseList("1, 2,"))
	assert.Equal(t, []string{"1", "2"}, parseList(`["1", 2]`))
	assert.Equal(t, []string{"[x"}, parseList(`[x`))
	assert.Empty(t, parseList(""))
	assert.True(t, sameEntries([]string{"2", "1", "1"}, []string{"1", "2"}))
	assert.False(t, sameEntries(nil, []string{"1"}))
	s := indexSet{}
	s.add(3, 4)
	assert.Equal(t, 4, s.top())
	assert.Equal(t, -1, indexSet{}.top())
}

// A stack of Magnum's: its members are known to Heat by their servers, which its autoscaler names. What such a name has done is settled by
// an update that was carried out, and not by one that was not.
func TestPlanWaitsWhereAServerIsNamedInAGroupOfStacks(t *testing.T) {
	o := observation{
		Status: "UPDATE_FAILED", Count: 4, Append: true, Members: true, Nested: true, Rows: rowsOf("0 1 2 3 4"), List: []string{"s2"},
	}
	for name, w := range map[string]wishes{
		"removal": {Remove: server("s0")}, "growth": {Grow: []int{1}}, "retry": {Retry: true}, "replacement": {Replace: server("s4")},
	} {
		p := makePlan(o, w)
		assert.False(t, p.Patch, "%s: member 4 would go, which nobody has named", name)
		assert.Empty(t, p.Victims, name)
	}
	err := makePlan(o, wishes{Remove: server("s0")}).Remove[0].err
	require.ErrorContains(t, err, "s2")

	written := o
	written.Group.Removed = []string{"2"}
	p := makePlan(written, wishes{Remove: server("s0")})
	assert.Equal(t, []string{"0", "2"}, p.List, "Heat has written 2 down, and it is still there")
	assert.Equal(t, 3, p.Count)

	settled := o
	settled.Status, settled.Rows = "UPDATE_COMPLETE", rowsOf("0 1 2 3")
	p = makePlan(settled, wishes{Remove: server("s0")})
	assert.Equal(t, []string{"0"}, p.List, "Heat has ignored the name and taken the highest")

	flat := o
	flat.Nested = false
	p = makePlan(flat, wishes{Remove: server("s0")})
	assert.Equal(t, []string{"0", "2"}, p.List, "in a group of servers the name is good")
}
