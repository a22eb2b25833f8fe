package app

import (
	"crypto/sha256"
	"os"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/ceilometer"
)

// loadFile is the file with the defaults of load signals. Not safe for concurrent use: only the loop reads it.
type loadFile struct {
	path string
	// source is the Defaults' Source, which is no part of the file.
	source string
	sum    [sha256.Size]byte
	good   bool // it was read once
}

// read returns the defaults when the file is new or has changed, else nil. A ConfigMap's file is replaced by a link, so the contents
// are compared rather than times.
func (f *loadFile) read() (*ceilometer.Defaults, error) {
	if f.path == "" {
		return nil, nil
	}
	data, err := os.ReadFile(f.path)
	if err != nil {
		return nil, err
	}
	sum := sha256.Sum256(data)
	if f.good && sum == f.sum {
		return nil, nil
	}
	defaults, err := ceilometer.ParseFile(data)
	if err != nil {
		return nil, err
	}
	f.sum, f.good, defaults.Source = sum, true, f.source
	return &defaults, nil
}
