// Package boot plays what happens in a virtual machine between power-on and the kubelet's start: cloud-init's part, which
// writes files, and systemd's part, which puts the kubelet's command line together.
package boot
