package e2e_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	rbacv1 "k8s.io/api/rbac/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/world"
)

// groupList is what list prints, as far as tests look at it.
type groupList struct {
	APIVersion, Kind string
	Source           struct{ Kind, From string }
	Items            []struct {
		Name, Status                             string
		MinSize, TargetSize, ReadyNodes, MaxSize *int
		Floor                                    *struct {
			Size   int
			Reason string
		}
		Members []struct{ Index, Server, Node, State string }
	}
}

func (o *operator) list(arguments ...string) (*groupList, error) {
	r := o.run(append([]string{"list", "-o", "json"}, arguments...)...)
	if r.code != 0 {
		return nil, fmt.Errorf("exit code %d: %s", r.code, r.errs)
	}
	list := &groupList{}
	return list, json.Unmarshal([]byte(r.out), list)
}

// TestListAndDescribe: what the tool shows is what there is, also while it changes.
func TestListAndDescribe(t *testing.T) {
	t.Parallel()
	s := newScene(t, "toollist")
	workers := s.group(world.GroupSpec{Name: "workers", Max: 3, Labels: map[string]string{"pool": "workers"}})
	scheduled := s.group(world.GroupSpec{Name: "scheduled", Max: 4, Annotations: map[string]string{"schedule": "0 0 * * */24h@UTC=2"}})
	require.NoError(t, s.StartAutoscaler(t.Context()))
	o := s.operator("viewer", nil)
	s.size(scheduled, 2)

	changes := s.watch(o, "list", "--watch", "--watch-interval=1s", "-o", "wide")
	require.Regexp(t, `^NAME +STACKS +STATUS +MIN +TARGET +READY +MAX +FLOOR +REASON +FLAVOR`, changes.next(t))
	// It is being made until that has been seen, however often the tool comes to look.
	s.sim.PauseCompute()
	s.deploy(world.Workload{Name: "app", Replicas: 1, CPU: "600m", NodeLabels: map[string]string{"pool": "workers"}})
	changes.until(t, `^`+workers.Name+` +`+workers.Name+` +Growing +0 +1 +0 +3 +<none> +1 being made`)
	s.sim.ResumeCompute()
	servers := s.size(workers, 1)
	changes.until(t, `^`+workers.Name+` +`+workers.Name+` +OK +0 +1 +1 +3 +<none> +<none> `)
	changes.end(t)

	var list *groupList
	s.until("the floor's reason to be told", func(context.Context) (err error) {
		if list, err = o.list(); err == nil && (len(list.Items) != 2 || list.Items[0].Floor == nil || list.Items[0].Floor.Reason == "") {
			err = fmt.Errorf("%+v", list)
		}
		return err
	})
	require.Equal(t, "NodeGroupList", list.Kind)
	require.Equal(t, "openstack", list.Source.Kind)
	require.Equal(t, 2, list.Items[0].Floor.Size)
	require.Contains(t, list.Items[0].Floor.Reason, "schedule")
	require.Nil(t, list.Items[1].Floor)
	require.Equal(t, 1, *list.Items[1].ReadyNodes)
	require.Equal(t, servers["0"].ID, list.Items[1].Members[0].Server)
	require.Equal(t, s.nodeOf(workers, 1), list.Items[1].Members[0].Node)

	r := o.ok("describe", workers.Name)
	for _, line := range []string{
		`(?m)^Name: +` + workers.Name + `$`, `(?m)^Sizes: +min 0, target 1, ready 1, max 3$`, `(?m)^Floor: +<none>$`,
		`(?m)^  0 +` + servers["0"].ID + ` +toollist-workers-0 +\S+ +running +<none>$`, `(?m)^Annotations: +bootstrap-token-source=minted$`, `(?m)^ +node-group-max-size=3$`,
		`(?m)^  Allocatable: +cpu 900m`, `(?m)^Cluster Autoscaler: +Healthy, scale-up `, `(?m)^Data: +OpenStack project \S+, region RegionOne, read \S+ ago$`,
	} {
		require.Regexp(t, line, r.out)
	}
	// cluster-autoscaler tells one such Event in five minutes.
	r = o.ok("describe", scheduled.Name)
	require.Regexp(t, `(?m)^Floor: +2 \(floor 2: schedule `, r.out)
	require.Regexp(t, `Normal +ScaledUpGroup +cluster-autoscaler +Scale-up: setting group toollist-scheduled size to `, r.out)
	require.Regexp(t, `Normal +FloorRaised +cluster-autoscaler-openstack +node group "toollist-scheduled": floor 2`, r.out)
	require.Contains(t, o.ok("describe", "-o", "yaml", workers.Name).out, "\nkind: NodeGroup\n")

	t.Run("wrong input", func(t *testing.T) { wrongInput(t, o, workers.Name) })
	t.Run("kubectl", func(t *testing.T) { throughKubectl(t, o) })
	t.Run("subcommand", func(t *testing.T) {
		own := *o
		own.program, own.arguments = base.Autoscaler(), o.arguments
		command := own.command(t.Context(), "nodegroups", "list")
		require.Regexp(t, `(?m)^`+workers.Name+` `, finish(t, command).out)
	})
	t.Run("rights", func(t *testing.T) { missingRights(t, s, workers.Name) })
	t.Run("calls", func(t *testing.T) {
		// The number of calls must not grow with the number of members.
		calls := func() int {
			before := s.sim.CountCalls("", "")
			o.ok("list")
			return s.sim.CountCalls("", "") - before
		}
		require.True(t, s.StopAutoscaler())
		few := calls()
		require.NoError(t, scheduled.Patch(t.Context(), map[string]any{"node_count": 4}))
		s.until("four members", func(ctx context.Context) error {
			stack, err := scheduled.Stack(ctx)
			if err == nil && (stack.Busy() || stack.Count() != 4) {
				err = fmt.Errorf("%s, %d", stack.Status, stack.Count())
			}
			return err
		})
		require.Equal(t, few, calls())
		t.Logf("%d calls to OpenStack for a list of two groups", few)
	})
}

func wrongInput(t *testing.T, o *operator, group string) {
	for _, c := range []struct {
		arguments []string
		code      int
		says      string
	}{
		{[]string{"list", "nosuch"}, 1, `there is no node group "nosuch"; there are `},
		{[]string{"describe", group + "s"}, 1, `did you mean "` + group + `"?`},
		{[]string{"list", "-o", "xml"}, 2, "--output=xml: there is no such form; write one of table, wide, json, yaml"},
		{[]string{"list", "--watch-interval=1ms", "-w"}, 2, "--watch-interval=1ms: too often"},
		{[]string{"list", "--nodes=5:1:x"}, 2, "the minimum is above the maximum"},
		{[]string{"list", "--cloud=x"}, 2, "only one can hold"},
		{[]string{"lst"}, 2, `unknown command "lst"`},
		{[]string{"why"}, 2, "accepts 1 arg(s), received 0"},
		{[]string{"why", "nosuch"}, 1, `there is no pod "nosuch" in namespace "toollist", no node and no node group`},
		{[]string{"why", "node/nosuch"}, 1, `there is no node "nosuch"`},
		{[]string{"why", "pod/other/nosuch"}, 1, `there is no pod "nosuch" in namespace "other"`},
		{[]string{"why", "service/x"}, 2, `there is no kind "service"`},
		{[]string{"why", "pod//x"}, 2, "a part of it is empty"},
	} {
		r := o.run(c.arguments...)
		require.Equal(t, c.code, r.code, "%v: %s", c.arguments, r.errs)
		require.Contains(t, r.errs, c.says, "%v", c.arguments)
		require.Empty(t, r.out, "%v", c.arguments)
	}
	none := *o
	none.cloud = nil
	r := none.run("list")
	require.Equal(t, 1, r.code)
	require.Contains(t, r.errs, "no running pod of the autoscaler is found in namespace \"toollist\", and there are no credentials for OpenStack")
	require.Contains(t, r.errs, "--status-address")
	require.Contains(t, r.errs, "--cloud=ENTRY")
	none.cloud = []string{"--status-url=http://127.0.0.1:1"}
	r = none.run("list")
	require.Equal(t, 1, r.code)
	require.Contains(t, r.errs, "connection refused; is the autoscaler started with --status-address")
}

// throughKubectl calls the plugin as its users do, and completes its arguments as their shells do.
func throughKubectl(t *testing.T, o *operator) {
	bin := t.TempDir()
	for name, target := range map[string]string{
		"kubectl": base.Kubernetes(), "kubectl-openstack_nodegroups": o.program,
		"kubectl_complete-openstack_nodegroups": filepath.Join(base.Root, "cmd/kubectl-openstack_nodegroups/kubectl_complete-openstack_nodegroups"),
	} {
		require.NoError(t, os.Symlink(target, filepath.Join(bin, name)))
	}
	run := func(arguments ...string) result {
		command := o.command(t.Context())
		command.Path, command.Args = filepath.Join(bin, "kubectl"), append([]string{"kubectl"}, arguments...)
		command.Env = []string{"PATH=" + bin + ":" + os.Getenv("PATH"), "HOME=" + t.TempDir(), "KUBECONFIG=" + o.kubeconfig}
		return finish(t, command)
	}
	flags := slices.Concat(o.arguments, o.cloud)
	r := run(append([]string{"openstack-nodegroups", "ls"}, flags...)...)
	require.Zero(t, r.code, r.errs)
	require.Regexp(t, `(?m)^toollist-workers `, r.out)
	require.Contains(t, run("openstack-nodegroups", "--help").out, "kubectl openstack-nodegroups [command]")

	complete := func(words ...string) string {
		words = slices.Concat([]string{"__complete", "openstack-nodegroups"}, words[:1], flags, words[1:])
		r := run(words...)
		require.Zero(t, r.code, r.errs)
		return r.out
	}
	require.Regexp(t, `(?m)^describe\b`, run("__complete", "openstack-nodegroups", "de").out)
	require.Contains(t, complete("describe", "toollist-w"), "toollist-workers\n")
	require.NotContains(t, complete("describe", "toollist-w"), "toollist-scheduled")
	require.Contains(t, complete("why", "node/toollist-w"), "node/toollist-workers-0\n")
	require.Contains(t, complete("why", "group/"), "group/toollist-scheduled\n")
}

// missingRights: without a right the tool says which one is missing, and shows the rest.
func missingRights(t *testing.T, s *scene, group string) {
	for i, c := range []struct {
		resource  string
		arguments []string
		says      string
		// fatal: nothing can be shown without it.
		fatal bool
	}{
		{"nodes", []string{"list"}, `no permission to list nodes: `, false},
		{"configmaps", []string{"list"}, `no permission to get configmaps in namespace "toollist": `, false},
		{"events", []string{"describe"}, `no permission to list events in namespace "toollist": `, false},
		{"pods", []string{"why", "group/" + group}, `no permission to list pods in all namespaces: `, false},
		{"pods", []string{"why", "pod/x"}, `no permission to get pods in namespace "toollist": `, true},
		{"poddisruptionbudgets", []string{"why", "group/" + group}, "no permission to list poddisruptionbudgets in all namespaces: ", false},
		{"daemonsets", []string{"why", "group/" + group}, "no permission to list daemonsets in all namespaces: ", false},
	} {
		without := func(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule {
			for i := range rules {
				rules[i].Resources = slices.DeleteFunc(rules[i].Resources, func(r string) bool { return r == c.resource })
			}
			return slices.DeleteFunc(rules, func(r rbacv1.PolicyRule) bool { return len(r.Resources) == 0 })
		}
		o := s.operator(fmt.Sprintf("poor-%d", i), without)
		var r result
		s.until("the right to be missing", func(context.Context) error {
			r = o.run(c.arguments...)
			if !strings.Contains(r.errs, c.says) {
				return fmt.Errorf("exit code %d: %s%s", r.code, r.out, r.errs)
			}
			return nil
		})
		require.Contains(t, r.errs, "nodegroups-viewer.yaml")
		if c.fatal {
			require.Equal(t, 1, r.code)
			continue
		}
		require.Zero(t, r.code, r.errs)
		require.Contains(t, r.out, group)
		if c.resource == "nodes" {
			require.Regexp(t, `(?m)^`+group+` +`+group+` +OK +0 +1 +<unknown> +3 `, r.out)
		}
	}
}

// changes are the lines that a watching tool prints.
type changes struct {
	lines chan string
	stop  func() error
}

// watch starts a command of the tool that goes on.
func (s *scene) watch(o *operator, arguments ...string) *changes {
	s.t.Helper()
	command := o.command(s.t.Context(), arguments...)
	out, err := command.StdoutPipe()
	require.NoError(s.t, err)
	var errs strings.Builder
	command.Stderr = &errs
	require.NoError(s.t, command.Start())
	c := &changes{lines: make(chan string, 1000), stop: func() error {
		if err := command.Process.Signal(os.Interrupt); err != nil {
			return err
		}
		return command.Wait()
	}}
	go func() {
		defer close(c.lines)
		for scanner := bufio.NewScanner(out); scanner.Scan(); {
			c.lines <- scanner.Text()
		}
		_, _ = io.Copy(io.Discard, out)
	}()
	return c
}

func (c *changes) next(t *testing.T) string {
	t.Helper()
	select {
	case line, ok := <-c.lines:
		require.True(t, ok, "the tool has ended")
		return line
	case <-time.After(stepTimeout):
		require.Fail(t, "the tool prints nothing")
	}
	return ""
}

// until waits for a line of this form.
func (c *changes) until(t *testing.T, pattern string) {
	t.Helper()
	wanted := regexp.MustCompile(pattern)
	for {
		if line := c.next(t); wanted.MatchString(line) {
			return
		}
	}
}

// end interrupts the tool, which is no failure.
func (c *changes) end(t *testing.T) {
	t.Helper()
	require.NoError(t, c.stop())
}
