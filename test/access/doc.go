// Package access shows that the application credential of "credential" is enough for all that the autoscaler does, and for nothing
// else, on the simulated and (with the build tag lab) on the real OpenStack.
package access
