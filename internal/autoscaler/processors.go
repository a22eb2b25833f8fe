package autoscaler

import (
	"k8s.io/autoscaler/cluster-autoscaler/config"
	"k8s.io/autoscaler/cluster-autoscaler/core/podlistprocessor"
	"k8s.io/autoscaler/cluster-autoscaler/processors"
	"k8s.io/autoscaler/cluster-autoscaler/processors/nodegroupset"
	"k8s.io/autoscaler/cluster-autoscaler/processors/nodeinfosprovider"
	"k8s.io/autoscaler/cluster-autoscaler/processors/podinjection"
	podinjectionbackoff "k8s.io/autoscaler/cluster-autoscaler/processors/podinjection/backoff"
	"k8s.io/autoscaler/cluster-autoscaler/processors/pods"
	"k8s.io/autoscaler/cluster-autoscaler/processors/scaledowncandidates"
	"k8s.io/autoscaler/cluster-autoscaler/processors/scaledowncandidates/emptycandidates"
	"k8s.io/autoscaler/cluster-autoscaler/processors/scaledowncandidates/previouscandidates"
	"k8s.io/autoscaler/cluster-autoscaler/processors/status"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/clustersnapshot"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/drainability/rules"
	nodeoptions "k8s.io/autoscaler/cluster-autoscaler/simulator/options"
	"k8s.io/autoscaler/cluster-autoscaler/simulator/scheduling"
	"k8s.io/utils/clock"
)

type processorParts struct {
	snapshots    clustersnapshot.ClusterSnapshot
	deletion     nodeoptions.NodeDeleteOptions
	drainability rules.Rules
	eagerness    *Eagerness
	dryRun       RemovalReporter
}

// newProcessors returns core's heuristics as the flags want them.
func newProcessors(opts config.AutoscalingOptions, parts processorParts) *processors.AutoscalingProcessors {
	p := processors.DefaultProcessors(opts)
	p.TemplateNodeInfoProvider = nodeinfosprovider.NewDefaultTemplateNodeInfoProvider(&opts.NodeInfoCacheExpireTime, opts.ForceDaemonSets)
	p.PodListProcessor = podlistprocessor.NewDefaultPodListProcessor(scheduling.ScheduleAnywhere)
	if opts.ProactiveScaleupEnabled {
		injectPods(p, opts)
	}
	chooseCandidates(p, parts)
	if opts.ScaleDownDelayTypeLocal {
		d := newDelays(p.ScaleDownSetProcessor, clock.RealClock{})
		p.ScaleDownSetProcessor = d
		p.ScaleStateNotifier.Register(d)
	}
	p.NodeGroupSetProcessor = &nodegroupset.BalancingNodeGroupSetProcessor{Comparator: comparator(opts)}
	parts.eagerness.ScaleUpEnforcer = p.ScaleUpEnforcer
	p.ScaleUpEnforcer = parts.eagerness
	if parts.dryRun != nil {
		p.ScaleDownSetProcessor = &removeNothing{ScaleDownSetProcessor: p.ScaleDownSetProcessor, reporter: parts.dryRun}
	}
	return p
}

// injectPods makes up the pods that controllers are about to create (--enable-proactive-scaleup). What is said about
// made-up pods must be filtered first, so that no Events are written about them.
func injectPods(p *processors.AutoscalingProcessors, opts config.AutoscalingOptions) {
	registry := podinjectionbackoff.NewFakePodControllerRegistry()
	p.PodListProcessor = pods.NewCombinedPodListProcessor([]pods.PodListProcessor{
		podinjection.NewPodInjectionPodListProcessor(registry),
		p.PodListProcessor,
		podinjection.NewEnforceInjectedPodsLimitProcessor(opts.PodInjectionLimit),
	})
	p.ScaleUpStatusProcessor = status.NewCombinedScaleUpStatusProcessor([]status.ScaleUpStatusProcessor{
		podinjection.NewFakePodsScaleUpStatusProcessor(registry), p.ScaleUpStatusProcessor,
	})
}

// chooseCandidates says which nodes are looked at first for scale-down: empty ones, then those of the last loop.
func chooseCandidates(p *processors.AutoscalingProcessors, parts processorParts) {
	previous := previouscandidates.NewPreviousCandidates()
	p.ScaleDownCandidatesNotifier.Register(previous)
	empty := emptycandidates.NewEmptySortingProcessor(emptycandidates.NewNodeInfoGetter(parts.snapshots), parts.deletion, parts.drainability)
	combined := scaledowncandidates.NewCombinedScaleDownCandidatesProcessor()
	combined.Register(scaledowncandidates.NewScaleDownCandidatesSortingProcessor([]scaledowncandidates.CandidatesComparer{empty, previous}))
	p.ScaleDownNodeProcessor = combined
}

// comparator says which node groups are alike (--balance-similar-node-groups).
func comparator(opts config.AutoscalingOptions) nodegroupset.NodeInfoComparator {
	if len(opts.BalancingLabels) > 0 {
		return nodegroupset.CreateLabelNodeInfoComparator(opts.BalancingLabels)
	}
	return nodegroupset.CreateGenericNodeInfoComparator(opts.BalancingExtraIgnoredLabels, opts.NodeGroupSetRatios)
}
