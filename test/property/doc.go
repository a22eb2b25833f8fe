// Package property proves package heatstack on random histories: its tests let a whole autoscaler's worth of orders, faults
// and other people's doings happen to node groups in a simulated OpenStack, and look at what truly died there.
package property
