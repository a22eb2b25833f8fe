// Package vm boots servers of the simulated cloud for real: as virtual machines under User Mode Linux, with cloud-init
// reading a config drive as Nova writes it, or as nodes in namespaces of this machine's kernel, with containerd, runc and the
// kubelet. It needs root and Debian 12. The script run, behind "make test-vm", prepares what it works with: an image of a
// node, the programs, and a network namespace in which everything happens. See README.md.
package vm
