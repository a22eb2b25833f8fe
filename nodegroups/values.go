package nodegroups

import (
	"errors"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/validation"
)

// Short names keep the table readable.
type (
	resourceQuantity = resource.Quantity
	resourceList     = v1.ResourceList
	timeDuration     = time.Duration
)

// maxSizeLimit bounds sizes and counts, so that no sum of them overflows. No cloud is that large.
const maxSizeLimit = 1_000_000

// namePattern is what Heat allows in a stack's name; a group's name is a metric label and part of Event texts.
var namePattern = regexp.MustCompile(`^[A-Za-z0-9]([A-Za-z0-9_.-]{0,253}[A-Za-z0-9_])?$`)

// parameterPattern is what a HOT template can sensibly call a parameter.
var parameterPattern = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.-]{0,127}$`)

// knownArchitectures are those that Kubernetes has node components for.
var knownArchitectures = []string{"amd64", "arm64", "ppc64le", "riscv64", "s390x"}

// Least sensible quantities. Below them a unit has most likely been forgotten: "16" are sixteen bytes.
var (
	cpuFloor    = resource.MustParse("10m")
	memoryFloor = resource.MustParse("1Mi")
)

func formatInt(i int) string { return strconv.Itoa(i) }

func setName(c *Config, text string) error {
	if !namePattern.MatchString(text) {
		return errors.New("must be 1 to 255 letters, digits, '-', '_' or '.', with a letter or digit at its ends")
	}
	c.Name = text
	return nil
}

func setMinSize(c *Config, text string) error {
	n, err := parseCount(text, 0)
	if err == nil {
		c.MinSize, c.MinSet = int(n), true
	}
	return err
}

func setMaxSize(c *Config, text string) error {
	n, err := parseCount(text, 0)
	if err == nil {
		c.MaxSize, c.MaxSet = int(n), true
	}
	return err
}

func setGPUType(c *Config, text string) error {
	if problems := validation.IsQualifiedName(text); len(problems) > 0 || !strings.Contains(text, "/") {
		return errors.New("must be the name of an extended resource, a domain and a name with a slash between")
	}
	c.Capacity.GPUType = text
	return nil
}

func setArch(c *Config, text string) error {
	if !slices.Contains(knownArchitectures, text) {
		return fmt.Errorf("must be one of %s", strings.Join(knownArchitectures, ", "))
	}
	c.Capacity.Arch = text
	return nil
}

// parseCount reads a whole number from least to maxSizeLimit.
func parseCount(text string, least int64) (int64, error) {
	n, err := strconv.ParseInt(text, 10, 64)
	if err != nil || n < least || n > maxSizeLimit {
		return 0, fmt.Errorf("must be a whole number from %d to %d", least, maxSizeLimit)
	}
	return n, nil
}

// parameterName is the row of an annotation that renames a stack parameter.
func parameterName(key Key, example, about string, field func(*ParameterNames) *string) annotation {
	defaults := DefaultParameterNames()
	return annotation{
		key: key, typ: typeName, defaultText: *field(&defaults), example: example, about: about, ofStack: true,
		set: func(c *Config, text string) error {
			if !parameterPattern.MatchString(text) {
				return errors.New("must be the name of a stack parameter")
			}
			*field(&c.Parameters) = text
			return nil
		},
		get: func(c *Config) (string, bool) { return *field(&c.Parameters), *field(&c.Parameters) != "" },
	}
}

// quantity is the row of an annotation that holds a quantity of at least floor.
func quantity(key Key, defaultText, example, about string, floor resource.Quantity, field func(*Config) **resourceQuantity) annotation {
	return annotation{
		key: key, typ: typeQuantity, defaultText: defaultText, example: example, about: about,
		set: func(c *Config, text string) error {
			q, err := parseQuantity(text)
			if err != nil {
				return err
			}
			if q.Cmp(floor) < 0 {
				return fmt.Errorf("must be at least %s; is a unit missing?", floor.String())
			}
			*field(c) = &q
			return nil
		},
		get: func(c *Config) (string, bool) {
			if q := *field(c); q != nil {
				return q.String(), true
			}
			return "", false
		},
	}
}

// parseQuantity reads a quantity that fits an int64 and is not negative.
func parseQuantity(text string) (resource.Quantity, error) {
	q, err := resource.ParseQuantity(text)
	if err != nil {
		return q, errors.New("must be a Kubernetes quantity")
	}
	if q.Sign() < 0 {
		return q, errors.New("must not be negative")
	}
	if q.CmpInt64(math.MaxInt64/1000) > 0 {
		return q, errors.New("is too large")
	}
	return q, nil
}

// count is the row of an annotation that holds a whole number of at least least.
func count(key Key, defaultText, example, about string, least int64, field func(*Config) **int64) annotation {
	return annotation{
		key: key, typ: typeCount, defaultText: defaultText, example: example, about: about,
		set: func(c *Config, text string) error {
			n, err := parseCount(text, least)
			if err == nil {
				*field(c) = &n
			}
			return err
		},
		get: func(c *Config) (string, bool) {
			if n := *field(c); n != nil {
				return strconv.FormatInt(*n, 10), true
			}
			return "", false
		},
	}
}

// fraction is the row of an option from 0 to 1.
func fraction(key Key, flag, example, about string, field func(*Options) **float64) annotation {
	return annotation{
		key: key, typ: typeFraction, defaultText: flag, example: example, about: about,
		set: func(c *Config, text string) error {
			f, err := strconv.ParseFloat(text, 64)
			if err != nil || !(f >= 0 && f <= 1) { // written so that NaN is refused
				return errors.New("must be a number from 0 to 1")
			}
			*field(&c.Options) = &f
			return nil
		},
		get: func(c *Config) (string, bool) {
			if f := *field(&c.Options); f != nil {
				return strconv.FormatFloat(*f, 'g', -1, 64), true
			}
			return "", false
		},
	}
}

// maxPeriods bounds durations that hold up a removal, of which cluster-autoscaler has only so many under way at once
// (--max-scale-down-parallelism).
var maxPeriods = map[Key]time.Duration{KeyGracefulShutdown: 10 * time.Minute}

// period is the row of a duration of at least least.
func period(key Key, flag, example, about string, least time.Duration, field func(*Config) **timeDuration) annotation {
	return annotation{
		key: key, typ: typeDuration, defaultText: flag, example: example, about: about,
		set: func(c *Config, text string) error {
			d, err := time.ParseDuration(text)
			switch {
			case err != nil:
				return errors.New("must be a duration with a unit")
			case d < 0:
				return errors.New("must not be negative")
			case d < least:
				// cluster-autoscaler takes 0 literally: it would delete every new member in its next loop.
				return errors.New("must be more than 0")
			case maxPeriods[key] > 0 && d > maxPeriods[key]:
				return fmt.Errorf("must be at most %s", maxPeriods[key])
			}
			*field(c) = &d
			return nil
		},
		get: func(c *Config) (string, bool) {
			if d := *field(c); d != nil {
				return d.String(), true
			}
			return "", false
		},
	}
}

// boolean is the row of a value that is true or false.
func boolean(key Key, flag, example, about string, field func(*Config) **bool) annotation {
	return annotation{
		key: key, typ: typeBool, defaultText: flag, example: example, about: about,
		set: func(c *Config, text string) error {
			b, err := strconv.ParseBool(text)
			if err != nil {
				return errors.New("must be true or false")
			}
			*field(c) = &b
			return nil
		},
		get: func(c *Config) (string, bool) {
			if b := *field(c); b != nil {
				return strconv.FormatBool(*b), true
			}
			return "", false
		},
	}
}
