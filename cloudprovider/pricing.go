package cloudprovider

import (
	"fmt"
	"math"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	podutils "k8s.io/autoscaler/cluster-autoscaler/utils/pod"
)

// gibPerCPU is how many GiB of memory are reckoned to cost as much as one CPU when a price file gives prices of flavors
// only. Only the price of a pod depends on it, which core uses to see how well the money for a node is spent.
const gibPerCPU = 8

// priceModel is cluster-autoscaler's PricingModel over a price list. It is immutable.
type priceModel struct {
	prices *PriceList
	// flavorOf finds the flavor of a node that has no instance-type label; empty if it is not known.
	flavorOf func(*v1.Node) string
	perCPU   float64
	perGiB   float64
}

// size is what a flavor offers.
type size struct{ cpus, gib float64 }

// newPriceModel uses sizes, by flavor, to derive the price of a CPU and a GiB where the list does not give them.
func newPriceModel(prices *PriceList, sizes map[string]size, flavorOf func(*v1.Node) string) *priceModel {
	m := &priceModel{prices: prices, flavorOf: flavorOf}
	if prices.Default != nil {
		m.perCPU, m.perGiB = prices.Default.PerVCPU, prices.Default.PerGiB
	}
	if m.perCPU == 0 && m.perGiB == 0 {
		m.perCPU = cheapestCPU(prices.Flavors, sizes)
		m.perGiB = m.perCPU / gibPerCPU
	}
	return m
}

// cheapestCPU is the lowest price per CPU of all flavors whose price and size are known, with memory reckoned in.
func cheapestCPU(flavors map[string]float64, sizes map[string]size) float64 {
	best := math.Inf(1)
	for name, price := range flavors {
		s, known := sizes[name]
		if units := s.cpus + s.gib/gibPerCPU; known && units > 0 {
			best = math.Min(best, price/units)
		}
	}
	if math.IsInf(best, 1) {
		// Nothing to compare with: any positive number keeps the ratio of core's formula defined and equal for all groups.
		return 1
	}
	return best
}

// NodePrice returns the price of running node from start to end.
func (m *priceModel) NodePrice(node *v1.Node, start, end time.Time) (float64, error) {
	hours := end.Sub(start).Hours()
	flavor := node.Labels[v1.LabelInstanceTypeStable]
	if flavor == "" && m.flavorOf != nil {
		flavor = m.flavorOf(node)
	}
	if price, ok := m.prices.Flavors[flavor]; ok {
		return price * hours, nil
	}
	if m.prices.Default == nil {
		return 0, fmt.Errorf("flavor %q has no price: add it under flavors, or a default, to the price file", flavor)
	}
	return m.price(node.Status.Capacity) * hours, nil
}

// PodPrice returns what a machine that fits the pod exactly would cost from start to end.
func (m *priceModel) PodPrice(pod *v1.Pod, start, end time.Time) (float64, error) {
	return m.price(podutils.PodRequests(pod)) * end.Sub(start).Hours(), nil
}

func (m *priceModel) price(resources v1.ResourceList) float64 {
	return m.perCPU*float64(resources.Cpu().MilliValue())/1000 + m.perGiB*gib(resources.Memory())
}

func gib(q *resource.Quantity) float64 { return float64(q.Value()) / (1 << 30) }
