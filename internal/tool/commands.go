package tool

import (
	"github.com/spf13/cobra"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/check"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/credential"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/describe"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/list"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/scale"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/why"
)

// commands are the constructors of the commands, in the order in which --help lists them. A constructor adds the flags that only
// its command has, sets RunE, and asks nothing of anybody before RunE is called.
var commands = []func(*cli.Options) *cobra.Command{
	list.New,
	describe.New,
	why.New,
	check.New,
	scale.New,
	credential.New,
}
