// Package rehearsal says what the autoscaler would do to bring a node group to another size, and changes nothing.
package rehearsal
