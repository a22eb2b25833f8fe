package installed

import (
	"net"
	"strconv"

	v1 "k8s.io/api/core/v1"
)

// StatusPortName is how a container calls the port at which it serves its status.
const StatusPortName = "status"

// StatusPort is the port at which the pod serves the autoscaler's status, 0 if it does not.
func StatusPort(pod *v1.Pod) int {
	for i := range pod.Spec.Containers {
		c := &pod.Spec.Containers[i]
		if address := containerFlags(c).Last("status-address"); address != "" {
			_, port, err := net.SplitHostPort(address)
			if number, errNumber := strconv.Atoi(port); err == nil && errNumber == nil {
				return number
			}
		}
		for _, port := range c.Ports {
			if port.Name == StatusPortName {
				return int(port.ContainerPort)
			}
		}
	}
	return 0
}
