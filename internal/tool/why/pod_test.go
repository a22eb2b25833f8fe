package why

import (
	"bytes"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	appsv1 "k8s.io/api/apps/v1"
	v1 "k8s.io/api/core/v1"
	"k8s.io/utils/ptr"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cluster"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/model"
)

// zero makes the group one without nodes, whose template has a taint.
func zero(g *model.NodeGroup) {
	g.TargetSize, g.ReadyNodes, g.Members = ptr.To(0), ptr.To(0), nil
	g.Template = &model.Template{
		Allocatable: resources("2", "4Gi"), Labels: map[string]string{v1.LabelTopologyZone: "nova", "pool": "a"},
		Taints: []v1.Taint{{Key: "dedicated", Value: "db", Effect: v1.TaintEffectNoSchedule}, {Key: "soft", Effect: v1.TaintEffectPreferNoSchedule}},
	}
}

func tolerant(p *v1.Pod) {
	p.Spec.Tolerations = []v1.Toleration{{Key: "dedicated", Operator: v1.TolerationOpExists}}
}

func selecting(key, value string) func(*v1.Pod) {
	return func(p *v1.Pod) { p.Spec.NodeSelector = map[string]string{key: value} }
}

func affine(terms ...v1.NodeSelectorTerm) func(*v1.Pod) {
	return func(p *v1.Pod) {
		p.Spec.Affinity = &v1.Affinity{NodeAffinity: &v1.NodeAffinity{RequiredDuringSchedulingIgnoredDuringExecution: &v1.NodeSelector{NodeSelectorTerms: terms}}}
	}
}

func in(key string, values ...string) v1.NodeSelectorTerm {
	return v1.NodeSelectorTerm{MatchExpressions: []v1.NodeSelectorRequirement{{Key: key, Operator: v1.NodeSelectorOpIn, Values: values}}}
}

// Every reason for which a pod is pending, and next to it what looks alike and is none.
func TestPod(t *testing.T) {
	daemonSet := func(f *facts) {
		f.daemonSets = []appsv1.DaemonSet{{Spec: appsv1.DaemonSetSpec{Template: v1.PodTemplateSpec{Spec: aPod("d").Spec}}}}
	}
	claim := func(p *v1.Pod) {
		p.Spec.Volumes = []v1.Volume{{Name: "data", VolumeSource: v1.VolumeSource{PersistentVolumeClaim: &v1.PersistentVolumeClaimVolumeSource{ClaimName: "disk"}}}}
	}
	volumeIn := func(zone string) func(*facts) {
		return func(f *facts) {
			pv := &v1.PersistentVolume{}
			pv.Name = "pv-1"
			pv.Spec.NodeAffinity = &v1.VolumeNodeAffinity{Required: &v1.NodeSelector{NodeSelectorTerms: []v1.NodeSelectorTerm{in(v1.LabelTopologyZone, zone)}}}
			f.claims = map[string]cluster.Claim{"disk": {Volume: pv}}
		}
	}
	tainted := func(key string) func(*facts) {
		return changeNode(func(n *v1.Node) { n.Spec.Taints = []v1.Taint{{Key: key, Effect: v1.TaintEffectNoSchedule}} })
	}
	booting := func(age time.Duration) func(*facts) {
		return inGroup(func(g *model.NodeGroup) {
			g.TargetSize = ptr.To(2)
			g.Members = append(g.Members, model.Member{State: "running", Created: ptr.To(now.Add(-age)), Ready: ptr.To(false)})
		})
	}
	backedOff := inGroup(func(g *model.NodeGroup) {
		g.Core.ScaleUp, g.Core.BackoffCode, g.Core.BackoffMessage, g.Core.ScaleUpSince = model.ScaleUpBackOff, "QuotaExceeded", "no more ram.", ptr.To(now.Add(-2*time.Minute))
		g.Members = append(g.Members, model.Member{State: "failed", FailureCode: "QuotaExceeded", FailureMessage: "no more ram"})
	})
	for name, c := range map[string]struct {
		pod     v1.Pod
		changes []func(*facts)
		want    []string
		says    string
	}{
		"fits, and nothing is known": {aPod("a"), nil, []string{CodeTurn}, "nothing keeps the node group from growing"},
		"a node is coming": {aPod("a"), []func(*facts){inGroup(func(g *model.NodeGroup) {
			g.TargetSize = ptr.To(2)
			g.Members = append(g.Members, model.Member{State: "creating"})
		})}, []string{CodeSoon}, "of 2 members ordered 1 is Ready"},
		"a node boots":              {aPod("a"), []func(*facts){booting(14 * time.Minute)}, []string{CodeSoon}, "of 2 members ordered 1 is Ready"},
		"a node should have booted": {aPod("a"), []func(*facts){booting(16 * time.Minute)}, []string{CodeTurn}, ""},
		"a node boots for long":     {aPod("a"), []func(*facts){booting(16 * time.Minute), flag("max-node-provision-time", "20m")}, []string{CodeSoon}, ""},
		"a node of a slow group boots": {aPod("a"), []func(*facts){booting(16 * time.Minute), inGroup(func(g *model.NodeGroup) {
			g.Annotations["autoscaling-options-maxnodeprovisiontime"] = "20m"
		})}, []string{CodeSoon}, ""},
		"a node has joined and is not Ready": {aPod("a"), []func(*facts){booting(time.Minute), inGroup(func(g *model.NodeGroup) { g.Members[1].Node = "n1" })}, []string{CodeSoon}, ""},
		"a node is dead":                     {aPod("a"), []func(*facts){booting(48 * time.Hour), inGroup(func(g *model.NodeGroup) { g.Members[1].Node = "n1" })}, []string{CodeTurn}, ""},
		"a server of unknown age":            {aPod("a"), []func(*facts){booting(0), inGroup(func(g *model.NodeGroup) { g.Members[1].Created = nil })}, []string{CodeTurn}, ""},
		"a server whose node is not known":   {aPod("a"), []func(*facts){booting(time.Minute), inGroup(func(g *model.NodeGroup) { g.Members[1].Ready = nil })}, []string{CodeTurn}, ""},
		"a new server is deleted":            {aPod("a"), []func(*facts){booting(time.Minute), inGroup(func(g *model.NodeGroup) { g.Members[1].State = "deleting" })}, []string{CodeTurn}, ""},
		"too big":                            {aPod("a", asking(v1.ResourceCPU, "4")), nil, []string{CodeInsufficient}, `cpu 4; a new node has 2 (as its node "n0" is)`},
		"a whole node":                       {aPod("a", asking(v1.ResourceCPU, "2")), nil, []string{CodeTurn}, ""},
		"a whole node, and DaemonSets":       {aPod("a", asking(v1.ResourceCPU, "2")), []func(*facts){daemonSet}, []string{CodeInsufficient}, "a new node has 1500m (2, less 500m for DaemonSets)"},
		"memory":                             {aPod("a", asking(v1.ResourceMemory, "5Gi")), nil, []string{CodeInsufficient}, "memory 5Gi"},
		"a device":                           {aPod("a", asking("nvidia.com/gpu", "1")), nil, []string{CodeInsufficient}, "nvidia.com/gpu 1; a new node offers none"},
		"taint":                              {aPod("a"), []func(*facts){inGroup(zero)}, []string{CodeTaint}, "dedicated=db:NoSchedule"},
		"taint of its node":                  {aPod("a"), []func(*facts){tainted("x/own")}, []string{CodeTaint}, "x/own"},
		"startup taint":                      {aPod("a"), []func(*facts){tainted("x/own"), flag("startup-taint", "x/own")}, []string{CodeTurn}, ""},
		"startup taint, by the old flag":     {aPod("a"), []func(*facts){tainted("x/own"), flag("ignore-taint", "x/own")}, []string{CodeTurn}, ""},
		"status taint":                       {aPod("a"), []func(*facts){tainted("x/own"), flag("status-taint", "x/own")}, []string{CodeTurn}, ""},
		"startup taint, another":             {aPod("a"), []func(*facts){tainted("x/own"), flag("startup-taint", "x/other")}, []string{CodeTaint}, "x/own"},
		"startup taint, by its prefix":       {aPod("a"), []func(*facts){tainted("startup-taint.cluster-autoscaler.kubernetes.io/x")}, []string{CodeTurn}, ""},
		"status taint, by its prefix":        {aPod("a"), []func(*facts){tainted("status-taint.cluster-autoscaler.kubernetes.io/x")}, []string{CodeTurn}, ""},
		"taint that is tolerated":            {aPod("a", tolerant), []func(*facts){inGroup(zero)}, []string{CodeTurn}, ""},
		"selector":                           {aPod("a", selecting("pool", "b")), nil, []string{CodeSelector}, "pool=b; a new node has pool=a"},
		"selector without label":             {aPod("a", selecting("disk", "nvme")), nil, []string{CodeSelector}, "a new node has no such label"},
		"selector that fits":                 {aPod("a", selecting("pool", "a")), nil, []string{CodeTurn}, ""},
		"one node's name":                    {aPod("a", selecting(v1.LabelHostname, "n0")), nil, []string{CodeSelector}, ""},
		"zone":                               {aPod("a", selecting(v1.LabelTopologyZone, "b")), nil, []string{CodeZone}, ""},
		"affinity":                           {aPod("a", affine(in("pool", "b", "c"))), nil, []string{CodeAffinity}, "pool In [b, c]"},
		"affinity to a zone":                 {aPod("a", affine(in(v1.LabelTopologyZone, "b"))), nil, []string{CodeZone}, ""},
		"affinity, one of two terms":         {aPod("a", affine(in("pool", "b"), in("pool", "a"))), nil, []string{CodeTurn}, ""},
		"affinity, none of two":              {aPod("a", affine(in("pool", "b"), in("pool", "c"))), nil, []string{CodeAffinity}, "none of the 2 terms"},
		"volume elsewhere":                   {aPod("a", claim), []func(*facts){volumeIn("b")}, []string{CodeVolume}, "it wants topology.kubernetes.io/zone In [b]"},
		"volume here":                        {aPod("a", claim), []func(*facts){volumeIn("nova")}, []string{CodeTurn}, ""},
		"claim missing":                      {aPod("a", claim), []func(*facts){func(f *facts) { f.claims = map[string]cluster.Claim{} }}, []string{CodeClaim}, `"disk" does not exist`},
		"claim not bound yet":                {aPod("a", claim), []func(*facts){func(f *facts) { f.claims = map[string]cluster.Claim{"disk": {}} }}, []string{CodeTurn}, ""},
		"claim of a volume that is gone":     {aPod("a", claim), []func(*facts){func(f *facts) { f.claims = map[string]cluster.Claim{"disk": {Lost: "pv-1"}} }}, []string{CodeVolumeLost}, `"disk" is bound to PersistentVolume "pv-1", which does not exist`},
		"at the maximum":                     {aPod("a"), []func(*facts){inGroup(func(g *model.NodeGroup) { g.MaxSize = ptr.To(1) })}, []string{CodeAtMax}, "maximum size, 1"},
		"back-off":                           {aPod("a"), []func(*facts){backedOff}, []string{CodeBackOff}, "after a failure 2m ago: QuotaExceeded: no more ram"},
		"stack failed":                       {aPod("a"), []func(*facts){inGroup(func(g *model.NodeGroup) { g.Stacks[0].Status, g.Stacks[0].Reason = "UPDATE_FAILED", "because" })}, []string{CodeTurn, CodeStackFailed}, "nothing keeps the node group from growing"},
		"stack failed, and full": {aPod("a"), []func(*facts){inGroup(func(g *model.NodeGroup) {
			g.Stacks[0].Status, g.Stacks[0].Reason, g.MaxSize = "UPDATE_FAILED", "because", ptr.To(1)
		})}, []string{CodeAtMax, CodeStackFailed}, "maximum size, 1"},
		"a member failed, and a node is coming": {aPod("a"), []func(*facts){inGroup(func(g *model.NodeGroup) {
			g.TargetSize = ptr.To(3)
			g.Members = append(g.Members, model.Member{State: "failed", FailureCode: "NoValidHost", FailureMessage: "none"}, model.Member{State: "creating"})
		})}, []string{CodeSoon, "NoValidHost"}, "of 3 members ordered 1 is Ready"},
		"members failed": {aPod("a"), []func(*facts){inGroup(func(g *model.NodeGroup) {
			for range 3 {
				g.Members = append(g.Members, model.Member{State: "failed", FailureCode: "NoValidHost", FailureMessage: "none"})
			}
		})}, []string{CodeTurn, "NoValidHost"}, ""},
		"blocked": {aPod("a"), []func(*facts){inGroup(func(g *model.NodeGroup) {
			g.Blocked = &model.Problem{Code: "BadAnnotation", Key: "k", Value: "v", Message: "odd", Remedy: "mend it"}
		})}, []string{"BadAnnotation"}, `k="v": odd`},
		"growth blocked": {aPod("a"), []func(*facts){inGroup(func(g *model.NodeGroup) {
			g.GrowthBlocked = &model.Problem{Code: "UnsafeBootstrap", Message: "odd", Remedy: "mend it"}
		})}, []string{"UnsafeBootstrap"}, "odd"},
		"unknown to core":                 {aPod("a"), []func(*facts){inGroup(func(g *model.NodeGroup) { g.Core = nil })}, []string{CodeUnknownToCore}, ""},
		"unhealthy":                       {aPod("a"), []func(*facts){inGroup(func(g *model.NodeGroup) { g.Core.Health = "Unhealthy" })}, []string{CodeGroupUnhealthy}, ""},
		"what a node would be is unknown": {aPod("a"), []func(*facts){func(f *facts) { f.Nodes = nil }}, []string{CodeTemplateUnknown}, ""},
		"most nodes":                      {aPod("a"), []func(*facts){flag("max-nodes-total", "2")}, []string{CodeMaxNodesTotal}, "2 nodes"},
		"fewer than most":                 {aPod("a"), []func(*facts){flag("max-nodes-total", "3")}, []string{CodeTurn}, ""},
		"the node is not Ready": {aPod("a", tolerant, asking(v1.ResourceCPU, "2")), []func(*facts){
			changeNode(func(n *v1.Node) { n.Status.Conditions, n.Status.Allocatable = nil, resources("1", "1Gi") }),
			inGroup(func(g *model.NodeGroup) {
				members := g.Members
				zero(g)
				g.Members = members
			}),
		}, []string{CodeTurn}, ""},
		"no groups":         {aPod("a"), []func(*facts){func(f *facts) { f.Groups = nil }}, []string{CodeNoGroups}, ""},
		"gated":             {aPod("a", func(p *v1.Pod) { p.Spec.SchedulingGates = []v1.PodSchedulingGate{{Name: "x/y"}} }), nil, []string{CodeGated}, "x/y"},
		"of a DaemonSet":    {aPod("a", func(p *v1.Pod) { p.OwnerReferences[0].Kind = "DaemonSet" }), nil, []string{CodeDaemonSet}, ""},
		"expendable":        {aPod("a", func(p *v1.Pod) { p.Spec.Priority = ptr.To(int32(-11)) }), nil, []string{CodeExpendable}, "-11"},
		"hardly expendable": {aPod("a", func(p *v1.Pod) { p.Spec.Priority = ptr.To(int32(-10)) }), nil, []string{CodeTurn}, ""},
		"preempting":        {aPod("a", func(p *v1.Pod) { p.Status.NominatedNodeName = "n0" }), nil, []string{CodeNominated}, `"n0"`},
		"no such scheduler": {aPod("a", func(p *v1.Pod) { p.Status.Conditions, p.Spec.SchedulerName = nil, "odd" }), nil, []string{CodeNotScheduled}, `"odd"`},
	} {
		t.Run(name, func(t *testing.T) {
			f := theFacts(c.changes...)
			x := f.pod(&c.pod, nil)
			require.Equal(t, statePending, x.State)
			require.Equal(t, c.want, codes(x.Reasons), "%+v", x.Reasons)
			require.NotEmpty(t, x.Reasons[0].Remedy)
			require.Contains(t, x.Reasons[0].Text, c.says)
		})
	}
}

func TestPodThatIsNotPending(t *testing.T) {
	f := theFacts()
	for state, change := range map[string]func(*v1.Pod){
		stateRunning:  on("n0"),
		stateEnded:    func(p *v1.Pod) { p.Status.Phase = v1.PodSucceeded },
		stateDeleting: func(p *v1.Pod) { p.DeletionTimestamp = ptr.To(p.CreationTimestamp) },
		stateBound: func(p *v1.Pod) {
			p.Spec.NodeName = "n0"
			p.Status.ContainerStatuses = []v1.ContainerStatus{{Name: "app", State: v1.ContainerState{Waiting: &v1.ContainerStateWaiting{Reason: "ImagePullBackOff", Message: "no such image"}}}}
		},
	} {
		pod := aPod("a", change)
		x := f.pod(&pod, nil)
		require.Equal(t, state, x.State)
		if state == stateBound {
			require.Contains(t, x.Reasons[0].Text, "ImagePullBackOff: no such image")
		}
	}
}

// What is closest to a node comes first, and what is the same for several groups is said once.
func TestOrderOfReasons(t *testing.T) {
	f := theFacts(inGroup(func(g *model.NodeGroup) { g.MaxSize = ptr.To(1) }), func(f *facts) {
		for _, name := range []string{"tainted", "tainted-too"} {
			f.Groups = append(f.Groups, aGroup(zero, func(g *model.NodeGroup) { g.Name = name }))
		}
	})
	pod := aPod("a")
	x := f.pod(&pod, []model.Event{{At: now.Add(-time.Minute), Reason: "NotTriggerScaleUp", From: "cluster-autoscaler", Message: "pod didn't trigger scale-up"}})
	require.Equal(t, []string{CodeAtMax, CodeTaint}, codes(x.Reasons))
	require.Equal(t, []string{"tainted", "tainted-too"}, x.Reasons[1].NodeGroups)
	require.Equal(t, []bool{true, false, false}, []bool{x.NodeGroups[0].Fits, x.NodeGroups[1].Fits, x.NodeGroups[2].Fits})
	require.Equal(t, []bool{false, true, true}, []bool{x.NodeGroups[0].CanGrow, x.NodeGroups[1].CanGrow, x.NodeGroups[2].CanGrow})

	var out bytes.Buffer
	require.NoError(t, write(&out, f, &x))
	require.Equal(t, `Pod shop/a is pending for 3m: no node has been found for it.

Why, the most likely first:
  1. AtMaximum [workers]: it is at its maximum size, 1.
     Remedy: raise node-group-max-size (the tag of its stack, or --nodes).
  2. UntoleratedTaint [tainted, tainted-too]: it does not tolerate the taint dedicated=db:NoSchedule of a new node.
     Remedy: give the pod a toleration for dedicated if it may run there, or add a node group without the taint.

Node groups:
  NAME          FITS   CAN GROW   OBSTACLES
  workers       yes    no         AtMaximum
  tainted       no     yes        UntoleratedTaint
  tainted-too   no     yes        UntoleratedTaint

What was said of it:
  cluster-autoscaler, 60s ago: NotTriggerScaleUp: pod didn't trigger scale-up

Checked: requests against what a new node has, less its DaemonSets, taints, node selector and required node affinity, zones of volumes.
Not checked: affinity between pods, topology spread, host ports, devices of resource claims.
Data: a test, read 0s ago; cluster-autoscaler's status, written 2s ago.
`, out.String())
}

func TestGroup(t *testing.T) {
	noNodes := func(f *facts) { f.Nodes = nil }
	for name, c := range map[string]struct {
		changes     []func(*facts)
		state, code string
		says        string
	}{
		"nothing is pending":              {nil, stateIdle, CodeNothingPending, "no pod is pending"},
		"a pod would fit":                 {[]func(*facts){pods(aPod("a"))}, stateIdle, CodeTurn, "1 pending pod would fit"},
		"no pod would fit":                {[]func(*facts){pods(aPod("a", asking(v1.ResourceCPU, "9")), aPod("b", on("n0")))}, stateIdle, CodeNothingPending, "none of 1 pending pod would fit on a new node; for example shop/a: it asks for cpu 9"},
		"what a node would be is unknown": {[]func(*facts){pods(aPod("a")), noNodes, inGroup(func(g *model.NodeGroup) { g.TemplateError = "no flavor \"x\"" })}, stateIdle, CodeTemplateUnknown, `not known: no flavor "x"`},
		"that, and pods may not be read":  {[]func(*facts){noPods, noNodes}, stateIdle, CodeTemplateUnknown, "not known"},
		"that, and no pod is pending":     {[]func(*facts){noNodes, pods(aPod("b", on("n0")))}, stateIdle, CodeNothingPending, "no pod is pending"},
		"below the minimum":               {[]func(*facts){inGroup(func(g *model.NodeGroup) { g.MinSize = ptr.To(2) })}, stateIdle, CodeTurn, "below its least size, 2"},
		"at the maximum":                  {[]func(*facts){inGroup(func(g *model.NodeGroup) { g.MaxSize = ptr.To(1) })}, stateStuck, CodeAtMax, ""},
		"a stack failed":                  {[]func(*facts){inGroup(func(g *model.NodeGroup) { g.Stacks[0].Status, g.Stacks[0].Reason = "UPDATE_FAILED", "because" })}, stateFailing, CodeStackFailed, "UPDATE_FAILED: because"},
		"a stack failed, and full":        {[]func(*facts){inGroup(func(g *model.NodeGroup) { g.Stacks[0].Status, g.MaxSize = "UPDATE_FAILED", ptr.To(1) })}, stateStuck, CodeAtMax, ""},
		"a member failed": {[]func(*facts){inGroup(func(g *model.NodeGroup) {
			g.Members = append(g.Members, model.Member{State: "failed", FailureCode: "NoValidHost", FailureMessage: "none"})
		})}, stateFailing, "NoValidHost", "NoValidHost: none"},
		"a member failed, another is made": {[]func(*facts){inGroup(func(g *model.NodeGroup) {
			g.Members = append(g.Members, model.Member{State: "failed", FailureCode: "NoValidHost", FailureMessage: "none"}, model.Member{State: "creating"})
		})}, stateGrowing, "NoValidHost", ""},
		"growing":               {[]func(*facts){inGroup(func(g *model.NodeGroup) { g.Members = append(g.Members, model.Member{State: "creating"}) })}, stateGrowing, CodeGrowing, "1 member being made"},
		"a member is not Ready": {[]func(*facts){inGroup(func(g *model.NodeGroup) { g.ReadyNodes = ptr.To(0) })}, stateIdle, CodeNotReady, ""},
		"text of an old status": {[]func(*facts){inGroup(func(g *model.NodeGroup) {
			g.Core.ScaleUp = model.ScaleUpBackOff
			g.Events = []model.Event{{At: now, Reason: "ScaleUpFailed", Message: "Failed adding 1 nodes to group workers due to OutOfResource.QuotaExceeded; source errors: no more ram"}}
		})}, stateStuck, CodeBackOff, "no more ram"},
	} {
		t.Run(name, func(t *testing.T) {
			f := theFacts(c.changes...)
			x := f.group(&f.Groups[0])
			require.Equal(t, c.state, x.State)
			require.Equal(t, c.code, x.Reasons[0].Code, "%+v", x.Reasons)
			require.Contains(t, x.Reasons[0].Text, c.says)
			require.NotEmpty(t, x.Reasons[0].Remedy)
		})
	}
}

func TestQuestions(t *testing.T) {
	for text, want := range map[string]question{
		"x": {"", "here", "x"}, "pod/x": {kindPod, "here", "x"}, "po/a/x": {kindPod, "a", "x"}, "NODE/x": {kindNode, "here", "x"}, "ng/x": {kindGroup, "here", "x"},
	} {
		got, err := parse(text, "here")
		require.NoError(t, err)
		require.Equal(t, want, got)
	}
	for _, text := range []string{"", "/", "pod/", "a/b", "node/a/b", "pod/a/b/c"} {
		_, err := parse(text, "here")
		require.Equal(t, cli.ExitUsage, cli.ExitCode(err), text)
	}
}

func TestOneNameOfSeveralThings(t *testing.T) {
	f := theFacts()
	q := question{name: "x", namespace: "here"}
	err := q.judge(&subject{pod: &v1.Pod{}, node: &v1.Node{}}, f.Sight, nil)
	require.EqualError(t, err, `"x" may be more than one thing: write pod/here/x or node/x`)
	require.Equal(t, cli.ExitUsage, cli.ExitCode(err))
}
