// Package app puts the program together: flags, the connection to OpenStack, cluster-autoscaler's core with our provider
// inside, leader election, metrics and health over HTTP, and an orderly end.
package app
