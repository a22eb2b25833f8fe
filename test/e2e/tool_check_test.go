package e2e_test

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// checkReport is what check prints, as far as tests look at it.
type checkReport struct {
	Findings []struct{ Check, Status, Thing, Found string }
}

func (o *operator) check(names ...string) (*checkReport, int, error) {
	r := o.run(append([]string{"check", "-o", "json", "--service-account=kube-system/cluster-autoscaler-openstack"}, names...)...)
	report := &checkReport{}
	if err := json.Unmarshal([]byte(r.out), report); err != nil {
		return nil, r.code, fmt.Errorf("exit code %d: %w: %s%s", r.code, err, r.out, r.errs)
	}
	return report, r.code, nil
}

// TestCheck: with a real cluster, whose permissions are those of deploy/kubernetes, nothing fails; and a right that is missing is found.
func TestCheck(t *testing.T) {
	t.Parallel()
	s := newScene(t, "toolcheck")
	workers := s.group(world.GroupSpec{Name: "workers", Max: 3, Labels: map[string]string{"pool": "workers"}})
	require.NoError(t, s.StartAutoscaler(t.Context()))
	o := s.operator("viewer", nil)
	s.deploy(world.Workload{Name: "app", Replicas: 1, CPU: "600m", NodeLabels: map[string]string{"pool": "workers"}})
	s.size(workers, 1)

	all := []string{"access", "quotas", "stacks", "references", "nodes", "template", "permissions", "approval", "autoscaler"}
	s.until("check to have something good to say of everything, and nothing to complain of", func(context.Context) error {
		report, code, err := o.check(all...)
		if err != nil {
			return err
		}
		well := map[string]bool{}
		for _, f := range report.Findings {
			well[f.Check] = well[f.Check] || f.Status == "ok"
			// The scene's autoscaler runs alone, without leader election.
			if f.Status == "fail" && !strings.HasPrefix(f.Thing, "lease") {
				return fmt.Errorf("exit code %d: %+v", code, f)
			}
		}
		for _, name := range all {
			if !well[name] {
				return fmt.Errorf("%s: %+v", name, report.Findings)
			}
		}
		return nil
	})

	bindings := base.Cluster.Client.RbacV1().RoleBindings(s.Name)
	list, err := bindings.List(t.Context(), metav1.ListOptions{})
	require.NoError(t, err)
	for _, b := range list.Items {
		if b.RoleRef.Name == "cluster-autoscaler-openstack" {
			require.NoError(t, bindings.Delete(t.Context(), b.Name, metav1.DeleteOptions{}))
		}
	}
	s.until("check to find that a right is missing", func(context.Context) error {
		report, code, err := o.check("permissions")
		if err != nil {
			return err
		}
		for _, f := range report.Findings {
			if code == 1 && f.Status == "fail" && strings.Contains(f.Found, "it may not get configmaps cluster-autoscaler-status in "+s.Name) {
				return nil
			}
		}
		return fmt.Errorf("%+v", report)
	})
}
