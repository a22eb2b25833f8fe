// Package manifests holds what is in this folder, for programs that have to know it.
package manifests

import _ "embed"

// Autoscaler is cluster-autoscaler-openstack.yaml: above all the permissions that the autoscaler needs.
//
//go:embed cluster-autoscaler-openstack.yaml
var Autoscaler string
