// Package nodelife looks after machines from the day on which they are nodes: broken ones are replaced within a budget,
// ones that have to go are shut down first where their node group asks for it, and the Node objects of servers that are
// gone are deleted where no cloud controller manager does it.
//
// Everything here may take something away, so that every step needs proof: a list that is old or a cloud that does not
// answer is none. What is not done, and why, is told as an Event and in a metric.
package nodelife
