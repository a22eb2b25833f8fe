// Package pods runs the chart's own pods: the image of the Dockerfile is imported into a real containerd of a real kubelet, helm installs
// the chart in both modes, and its pods make a simulated cloud grow and shrink. It needs root and Debian 12, like test/vm, from which it
// has its nodes. The script run, behind "make test-chart-pods", prepares what it works with.
package pods
