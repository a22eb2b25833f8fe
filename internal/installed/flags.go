package installed

import (
	"strconv"
	"strings"
	"time"
)

// Flags are command line flags by name without dashes, each with all its values.
type Flags map[string][]string

// ParseFlags reads --name=value, --name value and --name, which is true.
func ParseFlags(arguments []string) Flags {
	flags := Flags{}
	for i, argument := range arguments {
		if !strings.HasPrefix(argument, "-") {
			continue
		}
		name, value, ok := strings.Cut(strings.TrimLeft(argument, "-"), "=")
		if !ok {
			value = "true"
			if i+1 < len(arguments) && !strings.HasPrefix(arguments[i+1], "-") {
				value = arguments[i+1]
			}
		}
		name = strings.ReplaceAll(name, "_", "-")
		flags[name] = append(flags[name], value)
	}
	return flags
}

// add adds the values of other flags behind those that are there.
func (f Flags) add(other Flags) {
	for name, values := range other {
		f[name] = append(f[name], values...)
	}
}

// Last is the value that holds, empty if the flag is not given.
func (f Flags) Last(name string) string {
	values := f[name]
	if len(values) == 0 {
		return ""
	}
	return values[len(values)-1]
}

// Plain is Last if it stands there, else empty: a value such as $(POD_NAMESPACE) is known in the pod only.
func (f Flags) Plain(name string) string {
	if value := f.Last(name); !strings.Contains(value, "$(") {
		return value
	}
	return ""
}

// Duration is a flag's value, or what it is without the flag.
func (f Flags) Duration(name string, without time.Duration) time.Duration {
	if d, err := time.ParseDuration(f.Last(name)); err == nil {
		return d
	}
	return without
}

// Float is a flag's value, or what it is without the flag.
func (f Flags) Float(name string, without float64) float64 {
	if x, err := strconv.ParseFloat(f.Last(name), 64); err == nil {
		return x
	}
	return without
}

// Int is a flag's value, or what it is without the flag.
func (f Flags) Int(name string, without int) int {
	if n, err := strconv.Atoi(f.Last(name)); err == nil {
		return n
	}
	return without
}

// Bool is a flag's value, or what it is without the flag.
func (f Flags) Bool(name string, without bool) bool {
	if b, err := strconv.ParseBool(f.Last(name)); err == nil {
		return b
	}
	return without
}
