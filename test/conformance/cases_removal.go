package conformance

import (
	"encoding/json"
	"net/http"
	"strconv"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/conformance/api"
)

// removes makes a stack of three, changes it and requires which indices are left, as the same servers.
func removes(t *testing.T, c *Case, file string, change func(s *Stack, members map[string]string) Params, left ...string) *Stack {
	t.Helper()
	s := c.Create(file, Params{"node_count": 3})
	before := s.Members()
	require.Equal(t, "0,1,2", indices(before))
	s.Update(change(s, before))
	after := s.Members()
	require.Len(t, after, len(left), "%v", after)
	requireKept(t, before, after, left...)
	return s
}

func removalByIndex(t *testing.T, c *Case) {
	s := removes(t, c, "flat.yaml", func(*Stack, map[string]string) Params {
		return Params{"node_count": 2, "nodes_to_remove": []string{"1"}}
	}, "0", "2")
	require.Equal(t, "1", s.Get().Parameters["nodes_to_remove"])
}

func removalByNumber(t *testing.T, c *Case) {
	removes(t, c, "flat.yaml", func(*Stack, map[string]string) Params {
		return Params{"node_count": 2, "nodes_to_remove": []int{0}}
	}, "1", "2")
}

func removalListAsString(t *testing.T, c *Case) {
	s := removes(t, c, "flat.yaml", func(*Stack, map[string]string) Params {
		return Params{"node_count": "1", "nodes_to_remove": "0,1"}
	}, "2")
	parameters := s.Get().Parameters
	require.Equal(t, "1", parameters["node_count"])
	require.Equal(t, "0,1", parameters["nodes_to_remove"])
}

func removalOfSeveral(t *testing.T, c *Case) {
	s := removes(t, c, "flat.yaml", func(*Stack, map[string]string) Params {
		return Params{"node_count": 1, "nodes_to_remove": []string{"2", "0"}}
	}, "1")
	require.Equal(t, "2,0", s.Get().Parameters["nodes_to_remove"])
}

func removalToZero(t *testing.T, c *Case) {
	s := removes(t, c, "flat.yaml", func(*Stack, map[string]string) Params {
		return Params{"node_count": 0, "nodes_to_remove": []string{"0", "1", "2"}}
	})
	s.Update(Params{"node_count": 1})
	require.Equal(t, "3", indices(s.Members()))
}

func removalOfNestedMember(t *testing.T, c *Case) {
	removes(t, c, "nested.yaml", func(*Stack, map[string]string) Params {
		return Params{"node_count": 2, "nodes_to_remove": []string{"0"}}
	}, "1", "2")
}

func removalByServerIDInFlatGroup(t *testing.T, c *Case) {
	removes(t, c, "flat.yaml", func(_ *Stack, members map[string]string) Params {
		return Params{"node_count": 2, "nodes_to_remove": []string{members["1"]}}
	}, "0", "2")
}

func removalByServerIDInNestedGroupKillsHighest(t *testing.T, c *Case) {
	removes(t, c, "nested.yaml", func(_ *Stack, members map[string]string) Params {
		return Params{"node_count": 2, "nodes_to_remove": []string{members["0"]}}
	}, "0", "1")
}

func removalByNestedStackIDKillsHighest(t *testing.T, c *Case) {
	removes(t, c, "nested.yaml", func(s *Stack, _ map[string]string) Params {
		nested := map[string]string{}
		for _, row := range s.Resources("?nested_depth=1") {
			nested[row.Name] = row.ID
		}
		require.NotEmpty(t, nested["0"])
		return Params{"node_count": 2, "nodes_to_remove": []string{nested["0"]}}
	}, "0", "1")
}

func removalByNestedReference(t *testing.T, c *Case) {
	removes(t, c, "nested.yaml", func(s *Stack, _ map[string]string) Params {
		var output struct {
			Output struct {
				Value map[string]string `json:"output_value"`
			} `json:"output"`
		}
		c.Get(api.Orchestration, s.path("/outputs/refs_map"), &output)
		require.Regexp(t, `^arn:openstack:heat::.*:stacks/`, output.Output.Value["0"])
		return Params{"node_count": 2, "nodes_to_remove": []string{output.Output.Value["0"]}}
	}, "1", "2")
}

func removalOfUnknownKillsHighest(t *testing.T, c *Case) {
	removes(t, c, "flat.yaml", func(*Stack, map[string]string) Params {
		return Params{"node_count": 2, "nodes_to_remove": []string{"zzz"}}
	}, "0", "1")
}

func removalOfKnownAndUnknown(t *testing.T, c *Case) {
	removes(t, c, "flat.yaml", func(*Stack, map[string]string) Params {
		return Params{"node_count": 2, "nodes_to_remove": []string{"0", "zzz"}}
	}, "1", "2")
}

func removalWithoutLowerCountReplaces(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 2})
	before := s.Members()
	s.Update(Params{"node_count": 2, "nodes_to_remove": []string{"0"}})
	after := s.Members()
	require.Equal(t, "1,2", indices(after))
	requireKept(t, before, after, "1")
}

func removalsInARow(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 4})
	before := s.Members()
	s.Patch(Params{"node_count": 3, "nodes_to_remove": []string{"0"}})
	s.Update(Params{"node_count": 2, "nodes_to_remove": []string{"2"}})
	after := s.Members()
	require.Equal(t, "1,3", indices(after))
	requireKept(t, before, after, "1", "3")
}

func gapStays(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 2})
	s.Update(Params{"node_count": 1, "nodes_to_remove": []string{"0"}})
	s.Update(Params{"node_count": 2})
	require.Equal(t, "1,2", indices(s.Members()))
}

func removedIndexIsRemembered(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 2})
	s.Update(Params{"node_count": 1, "nodes_to_remove": []string{"0"}})
	s.Update(Params{"node_count": 2, "nodes_to_remove": []string{}})
	require.Equal(t, "1,2", indices(s.Members()), "the list is empty, but Heat remembers")
	require.Empty(t, s.Get().Parameters["nodes_to_remove"])
}

func modeUpdateForgets(t *testing.T, c *Case) {
	s := c.Create("mode-update.yaml", Params{"node_count": 3})
	before := s.Members()
	s.Update(Params{"node_count": 2, "nodes_to_remove": []string{"0"}})
	between := s.Members()
	require.Equal(t, "1,2", indices(between))
	s.Update(Params{"nodes_to_remove": []string{}})
	after := s.Members()
	require.Equal(t, "0,1", indices(after), "the forgotten index is made anew and the highest one dies for it")
	require.NotEqual(t, before["0"], after["0"])
	requireKept(t, between, after, "1")
}

func modeUpdateKeepsWhatIsStillListed(t *testing.T, c *Case) {
	s := c.Create("mode-update.yaml", Params{"node_count": 3})
	s.Update(Params{"node_count": 2, "nodes_to_remove": []string{"0"}})
	before := s.Members()
	s.Update(Params{"node_count": 1, "nodes_to_remove": []string{"0", "1"}})
	after := s.Members()
	require.Equal(t, "2", indices(after))
	requireKept(t, before, after, "2")
}

// simultaneousPatches sends two removals at one moment. One may be lost without trace, or one supersedes the other: what
// is certain is that both are accepted and that the stack ends as one of them wanted.
func simultaneousPatches(t *testing.T, c *Case) {
	s := c.Create("flat.yaml", Params{"node_count": 4})
	before := s.Members()
	type wish struct {
		count, index string
	}
	wishes := []wish{{"3", "0"}, {"2", "1"}}
	codes := make(chan int, len(wishes))
	for _, w := range wishes {
		go func() {
			answer, err := c.Client.Do(c.ctx, http.MethodPatch, api.Orchestration, s.path(""), map[string]any{
				"parameters":       Params{"node_count": json.Number(w.count), "nodes_to_remove": []string{w.index}},
				"disable_rollback": true,
			})
			if err != nil {
				codes <- 0
				return
			}
			codes <- answer.Code
		}()
	}
	for range wishes {
		require.Equal(t, http.StatusAccepted, <-codes)
	}
	view := s.Settle("UPDATE_COMPLETE")
	require.Contains(t, wishes, wish{view.Parameters["node_count"], view.Parameters["nodes_to_remove"]})
	after := s.Members()
	require.Equal(t, view.Parameters["node_count"], strconv.Itoa(len(after)))
	require.NotContains(t, after, view.Parameters["nodes_to_remove"], "the member that the last word named")
	// Nothing is promised of the first word's victims: if Heat had begun to remove one without having written its index down, the last
	// word makes that index anew. If the first word was the lower count, it also took the highest index, 3. Index 2 stays.
	for index, id := range after {
		if before[index] != "" && index == "2" {
			require.Equal(t, before[index], id, "no index is made anew")
		}
	}
}
