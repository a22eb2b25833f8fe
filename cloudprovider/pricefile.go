package cloudprovider

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"math"
	"os"

	"sigs.k8s.io/yaml"
)

// PriceList is the contents of a price file.
type PriceList struct {
	// Flavors maps a flavor's name to its price per hour, in any one currency.
	Flavors map[string]float64 `json:"flavors,omitempty"`
	// Default prices every flavor that is not listed, by its size. Without it such a flavor has no price, and the price
	// expander leaves its node groups out.
	Default *DefaultPrice `json:"default,omitempty"`
}

// DefaultPrice is a price by size, per hour.
type DefaultPrice struct {
	PerVCPU float64 `json:"perVCPU"`
	PerGiB  float64 `json:"perGiB"`
}

// ParsePrices reads a price list from YAML and checks it. Unknown keys are errors: they are misspelt ones.
func ParsePrices(data []byte) (*PriceList, error) {
	var list PriceList
	if err := yaml.UnmarshalStrict(data, &list); err != nil {
		return nil, fmt.Errorf("not a price list (flavors: {name: price per hour}, default: {perVCPU, perGiB}): %w", err)
	}
	if len(list.Flavors) == 0 && list.Default == nil {
		return nil, errors.New("it has neither flavors nor a default")
	}
	for name, price := range list.Flavors {
		if !isPrice(price) {
			return nil, fmt.Errorf("the price of flavor %q is %v: it must be a number that is 0 or more", name, price)
		}
	}
	if d := list.Default; d != nil && (!isPrice(d.PerVCPU) || !isPrice(d.PerGiB) || d.PerVCPU+d.PerGiB == 0) {
		return nil, fmt.Errorf("the default is perVCPU %v and perGiB %v: they must be numbers that are 0 or more, one of them above 0", d.PerVCPU, d.PerGiB)
	}
	return &list, nil
}

func isPrice(v float64) bool { return v >= 0 && !math.IsInf(v, 1) }

// priceFile is a price list that follows its file. Not safe for concurrent use: only Refresh uses it.
type priceFile struct {
	path string
	sum  [sha256.Size]byte
	read bool
}

// load returns the list when the file is new or has changed, else nil. A ConfigMap's file is replaced by a link, so the
// contents are compared rather than times.
func (f *priceFile) load() (*PriceList, error) {
	data, err := os.ReadFile(f.path)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	if f.read && sum == f.sum {
		return nil, nil
	}
	list, err := ParsePrices(data)
	if err != nil {
		return nil, err
	}
	f.sum, f.read = sum, true
	return list, nil
}
