package nodegroups

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
)

// splitList splits a list at commas and semicolons: a tag can't hold a comma. No item of any list holds either.
func splitList(text string) []string {
	items := strings.FieldsFunc(text, func(r rune) bool { return r == ',' || r == ';' })
	for i := range items {
		items[i] = strings.TrimSpace(items[i])
	}
	return slices.DeleteFunc(items, func(item string) bool { return item == "" })
}

func setLabels(c *Config, text string) error {
	labels := map[string]string{}
	for _, item := range splitList(text) {
		key, value, ok := strings.Cut(item, "=")
		if !ok {
			return fmt.Errorf("label %q must be key=value", item)
		}
		if err := checkLabel(key, value); err != nil {
			return fmt.Errorf("label %q: %w", item, err)
		}
		if old, twice := labels[key]; twice && old != value {
			return fmt.Errorf("label %q has two values", key)
		}
		labels[key] = value
	}
	if _, ok := labels[v1.LabelHostname]; ok {
		return fmt.Errorf("label %q is each node's own", v1.LabelHostname)
	}
	c.Capacity.Labels = labels
	return nil
}

// checkLabel applies Kubernetes' rules for keys and values of labels.
func checkLabel(key, value string) error {
	if problems := validation.IsQualifiedName(key); len(problems) > 0 {
		return fmt.Errorf("key: %s", problems[0])
	}
	if problems := validation.IsValidLabelValue(value); len(problems) > 0 {
		return fmt.Errorf("value: %s", problems[0])
	}
	return nil
}

func formatLabels(labels map[string]string) string {
	items := make([]string, 0, len(labels))
	for _, key := range slices.Sorted(maps.Keys(labels)) {
		items = append(items, key+"="+labels[key])
	}
	return strings.Join(items, ";")
}

func setTaints(c *Config, text string) error {
	taints := []v1.Taint{}
	for _, item := range splitList(text) {
		taint, err := parseTaint(item)
		if err != nil {
			return fmt.Errorf("taint %q: %w", item, err)
		}
		if slices.ContainsFunc(taints, func(t v1.Taint) bool { return t.MatchTaint(&taint) }) {
			return fmt.Errorf("taint %q: key and effect are there twice", item)
		}
		taints = append(taints, taint)
	}
	slices.SortFunc(taints, func(a, b v1.Taint) int { return strings.Compare(formatTaint(a), formatTaint(b)) })
	c.Capacity.Taints = taints
	return nil
}

// parseTaint reads key=value:Effect or key:Effect, as kubectl and the kubelet do.
func parseTaint(item string) (v1.Taint, error) {
	colon := strings.LastIndexByte(item, ':')
	if colon < 0 {
		return v1.Taint{}, errors.New("must be key=value:Effect")
	}
	key, value, _ := strings.Cut(item[:colon], "=")
	taint := v1.Taint{Key: key, Value: value, Effect: v1.TaintEffect(item[colon+1:])}
	if err := checkLabel(key, value); err != nil {
		return v1.Taint{}, err
	}
	switch taint.Effect {
	case v1.TaintEffectNoSchedule, v1.TaintEffectPreferNoSchedule, v1.TaintEffectNoExecute:
		return taint, nil
	}
	return v1.Taint{}, errors.New("the effect must be NoSchedule, PreferNoSchedule or NoExecute")
}

func formatTaint(t v1.Taint) string {
	if t.Value == "" {
		return t.Key + ":" + string(t.Effect)
	}
	return t.Key + "=" + t.Value + ":" + string(t.Effect)
}

func formatTaints(taints []v1.Taint) string {
	items := make([]string, 0, len(taints))
	for _, t := range taints {
		items = append(items, formatTaint(t))
	}
	slices.Sort(items)
	return strings.Join(items, ";")
}

// reserved is the row of an annotation that holds what a kubelet reserves.
func reserved(key Key, example, about string, field func(*Reserved) *resourceList) annotation {
	return annotation{
		key: key, typ: typeList, example: example, about: about,
		set: func(c *Config, text string) error {
			list := v1.ResourceList{}
			for _, item := range splitList(text) {
				name, amount, _ := strings.Cut(item, "=")
				if !slices.Contains(reservable, v1.ResourceName(name)) {
					return fmt.Errorf("%q: only cpu, memory, ephemeral-storage and pid can be reserved", item)
				}
				q, err := parseQuantity(amount)
				if err != nil {
					return fmt.Errorf("%q: %w", item, err)
				}
				if _, twice := list[v1.ResourceName(name)]; twice {
					return fmt.Errorf("%q is there twice", name)
				}
				list[v1.ResourceName(name)] = q
			}
			*field(&c.Reserved) = list
			return nil
		},
		get: func(c *Config) (string, bool) {
			list := *field(&c.Reserved)
			return formatResources(list, "="), list != nil
		},
	}
}

// reservable are the resources the kubelet takes in --kube-reserved and --system-reserved (kubernetes
// cmd/kubelet/app/server.go, parseResourceList).
var reservable = []v1.ResourceName{v1.ResourceCPU, v1.ResourceMemory, v1.ResourceEphemeralStorage, "pid"}

func formatResources(list v1.ResourceList, between string) string {
	items := make([]string, 0, len(list))
	for _, name := range slices.Sorted(maps.Keys(list)) {
		q := list[name]
		items = append(items, string(name)+between+q.String())
	}
	return strings.Join(items, ";")
}

// The kubelet's eviction signals that lower what is allocatable; others are checked and otherwise ignored
// (kubernetes pkg/kubelet/cm/node_container_manager_linux.go, hardEvictionReservation).
const (
	signalMemory = "memory.available"
	signalNodeFS = "nodefs.available"
)

var otherSignals = []string{"nodefs.inodesFree", "imagefs.available", "imagefs.inodesFree", "containerfs.available",
	"containerfs.inodesFree", "pid.available", "allocatableMemory.available"}

func setEvictionHard(c *Config, text string) error {
	r := Reserved{Kube: c.Reserved.Kube, System: c.Reserved.System, EvictionHardSet: true, EvictionHard: v1.ResourceList{}}
	seen := map[string]bool{}
	for _, item := range splitList(text) {
		// The JSON parameter may hold an object, which arrives here as signal=threshold.
		at := strings.IndexAny(item, "<=")
		if at < 0 {
			return fmt.Errorf("%q must be signal<threshold", item)
		}
		signal, threshold := item[:at], item[at+1:]
		if signal != signalMemory && signal != signalNodeFS && !slices.Contains(otherSignals, signal) {
			return fmt.Errorf("%q: there is no such eviction signal", item)
		}
		if seen[signal] {
			return fmt.Errorf("%q is there twice", signal)
		}
		seen[signal] = true
		q, percent, err := parseThreshold(threshold)
		if err != nil {
			return fmt.Errorf("%q: %w", item, err)
		}
		switch {
		case signal == signalMemory && percent > 0:
			r.EvictionMemoryPercent = percent
		case signal == signalNodeFS && percent > 0:
			r.EvictionDiskPercent = percent
		case signal == signalMemory:
			r.EvictionHard[v1.ResourceMemory] = q
		case signal == signalNodeFS:
			r.EvictionHard[v1.ResourceEphemeralStorage] = q
		}
	}
	c.Reserved = r
	return nil
}

// parseThreshold reads a quantity or a percentage; percent is 0 for a quantity.
func parseThreshold(text string) (q resource.Quantity, percent float64, err error) {
	number, isPercent := strings.CutSuffix(text, "%")
	if !isPercent {
		q, err = parseQuantity(text)
		return q, 0, err
	}
	percent, err = strconv.ParseFloat(number, 64)
	if err != nil || !(percent >= 0 && percent <= 100) { // written so that NaN is refused
		return q, 0, errors.New("must be a quantity or a percentage from 0% to 100%")
	}
	return q, percent, nil
}

func getEvictionHard(c *Config) (string, bool) {
	r := &c.Reserved
	items := make([]string, 0, 2)
	add := func(signal string, name v1.ResourceName, percent float64) {
		if percent > 0 {
			items = append(items, signal+"<"+strconv.FormatFloat(percent, 'f', -1, 64)+"%")
		} else if q, ok := r.EvictionHard[name]; ok {
			items = append(items, signal+"<"+q.String())
		}
	}
	add(signalMemory, v1.ResourceMemory, r.EvictionMemoryPercent)
	add(signalNodeFS, v1.ResourceEphemeralStorage, r.EvictionDiskPercent)
	return strings.Join(items, ";"), r.EvictionHardSet
}
