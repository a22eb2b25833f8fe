package scale

import (
	"errors"
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/quota"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/rehearsal"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

func TestQuotasAllowOnlyWhatWasCompared(t *testing.T) {
	nova := []quota.Limit{{Name: quota.Instances, Limit: 10}, {Name: quota.Cores, Limit: 100}, {Name: quota.RAM, Limit: 1 << 20}}
	ports := quota.Limit{Name: quota.Ports, Limit: 100}
	flavor := nodegroupstest.Flavor("m1.small", 2, 4096, 20)
	for name, one := range map[string]struct {
		limits    quota.Limits
		flavor    *nodegroups.Flavor
		says, not string
	}{
		"all known":      {quota.Limits{All: append(nova, ports)}, flavor, "quotas allow it.", "not known"},
		"only Neutron":   {quota.Limits{All: []quota.Limit{ports}, Unknown: map[string]error{"Nova": errors.New("down")}}, flavor, "not compared were RAM (MiB), cores, instances", "allow it."},
		"only Nova":      {quota.Limits{All: nova}, flavor, "not compared were ports", "allow it."},
		"unknown flavor": {quota.Limits{All: append(nova, ports)}, nil, "not compared were cores, RAM (MiB)", "allow it."},
		"too little":     {quota.Limits{All: append([]quota.Limit{{Name: quota.Instances}}, append(nova[1:], ports)...)}, flavor, "", "allow it."},
	} {
		answer := &rehearsal.Answer{Possible: true}
		judge(one.limits, &nodegroups.Group{Name: "workers", Flavor: one.flavor}, 2, answer)
		notes := strings.Join(answer.Notes, "\n")
		assert.Contains(t, notes, one.says, name)
		assert.NotContains(t, notes, one.not, name)
		assert.Equal(t, name != "too little", answer.Possible, name)
	}
}
