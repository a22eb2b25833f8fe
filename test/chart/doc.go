// Package chart tests the Helm chart of deploy/chart with a real helm and a real control plane. "make test-chart" runs it: its tests
// have the build tag chart, since "make test" is to do without helm.
package chart
