package ceilometer

import "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"

// Machines that have just been made run, and take load over from the others, minutes before telemetry knows them: as long as they
// are left out, the load of a group that has just grown looks smaller than it is, and the group would shrink again. So, as HPA does
// for pods without metrics, they count as idle where more is wanted, and as loaded as is aimed at where less is.

// trackWith is track for a group of which so many machines run unmeasured.
func trackWith(load, target float64, machines, young, last int, tolerance float64) int {
	idle := track(load, target, machines, last, tolerance)
	if young == 0 || last > 0 && idle == last {
		return idle
	}
	if last == 0 {
		last = machines + young // what is there is as good as what was wanted before
	}
	busy := min(ceil(load*float64(machines)/target)+young, mostWanted)
	return max(idle, min(last, busy))
}

// stepWith is step for a group of which so many machines run unmeasured: they are no reason to take any away, and none to add some.
func stepWith(load float64, steps []nodegroups.LoadStep, machines, young int) int {
	wanted := step(load, steps, machines)
	if young == 0 {
		return wanted
	}
	return max(wanted, machines+young)
}
