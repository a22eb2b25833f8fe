package collect

import (
	"fmt"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
)

// keyOf is the same for decisions that say the same.
func keyOf(d *status.Decision) string {
	size := func(n *int) int {
		if n == nil {
			return -1
		}
		return *n
	}
	return strings.Join([]string{
		d.Kind, d.Group, d.Stack, d.Node, strings.Join(d.Servers, " "), d.Result, d.Code, d.Reason,
		fmt.Sprint(d.Count, size(d.From), size(d.To)),
	}, "\x00")
}
