package heatstack

import (
	"net/http"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func count(calls []string, call string) int {
	n := 0
	for _, c := range calls {
		if c == call {
			n++
		}
	}
	return n
}

func TestFlavorOfNewMembers(t *testing.T) {
	f := newCloudFake()
	f.flavors = append(f.flavors, FlavorRow{ID: "f-2", Name: "gpu", VCPUs: 8, RAMMiB: 65536, DiskGiB: 40, EphemeralGiB: 100, ExtraSpecs: map[string]string{"resources:VGPU": "1"}})
	tests := map[string]struct {
		change func(*stackFake)
		want   string
	}{
		"by name": {func(st *stackFake) { st.detail.Parameters["flavor"] = "gpu" }, "gpu"},
		"by id":   {func(st *stackFake) { st.detail.Parameters["flavor"] = "f-2" }, "gpu"},
		"by another parameter": {func(st *stackFake) {
			st.detail.Parameters["kind"] = "gpu"
			st.detail.Tags = append(st.detail.Tags, "flavor-parameter=kind")
		}, "gpu"},
		"newest member's": {func(st *stackFake) { delete(st.detail.Parameters, "flavor") }, "m1.small"},
		"newest member's, by id": {func(st *stackFake) {
			delete(st.detail.Parameters, "flavor")
			f.servers["x-0"].Flavor = FlavorRow{ID: "f-2"} // as Nova had it before microversion 2.47
		}, "gpu"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			test.change(f.stack("x", 1))
			c, _ := newTestCloud(f, nil)
			refresh(t, f, c)
			x := shown(t, c, "x")
			if x.Flavor == nil { // the members are known after the flavors were asked for
				f.change("x-0", func(s *Server) { s.Name = "touched" })
				refresh(t, f, c)
				x = shown(t, c, "x")
			}
			require.NotNil(t, x.Flavor)
			assert.Equal(t, test.want, x.Flavor.Name)
		})
	}
	f.stack("x", 0).detail.Parameters = map[string]string{"node_count": "0", "nodes_to_remove": "", "flavor": "gpu", "boot_volume_size": "50", "availability_zone": "west"}
	c, _ := newTestCloud(f, nil)
	refresh(t, f, c)
	x := shown(t, c, "x")
	assert.Equal(t, &nodegroups.Flavor{ID: "f-2", Name: "gpu", VCPUs: 8, RAMMiB: 65536, DiskGiB: 40, EphemeralGiB: 100, ExtraSpecs: map[string]string{"resources:VGPU": "1"}}, x.Flavor)
	assert.Equal(t, 50, x.BootVolumeGiB)
	assert.Equal(t, "west", x.Zone)
}

func TestNoFlavorIsKnownOfAnEmptyStackWithoutParameter(t *testing.T) {
	f := newCloudFake()
	delete(f.stack("a", 0).detail.Parameters, "flavor")
	c, _ := newTestCloud(f, nil)
	refresh(t, f, c)
	assert.Nil(t, shown(t, c, "a").Flavor)
	assert.Zero(t, count(f.takeCalls(), "ListFlavors"))
}

func TestUnknownFlavor(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 1).detail.Parameters["flavor"] = "m9"
	c, _ := newTestCloud(f, nil)
	refresh(t, f, c)
	assert.Nil(t, shown(t, c, "a").Flavor)
	assert.Nil(t, shown(t, c, "a").Blocked)
	_, problems := c.List()
	require.Equal(t, []string{nodegroups.ReasonUnknownFlavor}, reasons(problems))
	assert.Equal(t, "m9", problems[0].Value)

	f.takeCalls()
	touch := func() {
		f.change("a-0", func(*Server) {})
		refresh(t, f, c)
	}
	touch()
	touch()
	assert.Zero(t, count(f.takeCalls(), "ListFlavors"), "not at every refresh")
	f.flavors = append(f.flavors, FlavorRow{ID: "f-9", Name: "m9"})
	f.clock.Step(unknownFlavorRetry)
	touch()
	assert.Equal(t, "f-9", shown(t, c, "a").Flavor.ID)
	_, problems = c.List()
	assert.Empty(t, problems)
}

func TestFlavorsThatCannotBeListedAreAProblem(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 1)
	f.fail["ListFlavors"] = answered(http.StatusForbidden)
	c, _ := newTestCloud(f, nil)
	refresh(t, f, c)
	_, problems := c.List()
	assert.Equal(t, []string{nodegroups.ReasonUnknownFlavor}, reasons(problems))
	assert.True(t, shown(t, c, "a").Known)
	delete(f.fail, "ListFlavors")
	f.change("a-0", func(*Server) {})
	refresh(t, f, c)
	_, problems = c.List()
	assert.Empty(t, problems)
	assert.Equal(t, "f-1", shown(t, c, "a").Flavor.ID)
}

func TestFlavorsGetOld(t *testing.T) {
	f := newCloudFake()
	f.stack("a", 1)
	f.stack("b", 1)
	c, _ := newTestCloud(f, nil)
	refresh(t, f, c)
	f.flavors[0].VCPUs = 2
	f.clock.Step(flavorLifetime + time.Second)
	f.change("a-0", func(s *Server) { s.Name = "renamed" })
	refresh(t, f, c)
	assert.Equal(t, 2, shown(t, c, "a").Flavor.VCPUs)
	assert.Equal(t, 2, shown(t, c, "b").Flavor.VCPUs)
}
