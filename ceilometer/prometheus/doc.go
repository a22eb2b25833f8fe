// Package prometheus reads load from Prometheus, directly or through Aetos, the proxy that lets users of Keystone ask it.
// One instant query answers for all node groups.
//
// # Expressions
//
// A metric's expression is PromQL that gives one element per node group. The label GroupLabel ("node_group" if the options
// don't say otherwise) holds what the group's servers carry as metering.server_group. The value is the mean per machine, in
// the metric's own unit. A second label, PartLabel, makes an element something else, so that one query can say more about a
// group; the operator "or" puts the parts together:
//
//	avg by (node_group) (queue_length)
//	  or label_replace(count by (node_group) (queue_length), "part", "machines", "", "")
//	  or label_replace(min by (node_group) (timestamp(queue_length)), "part", "timestamp", "", "")
//
//	part       the value is
//	(none)     the mean per machine, the same as "mean"
//	total      the load of the whole group; it is the source divides it
//	machines   the number measured, that "mean" or "total" is about
//	timestamp  when the oldest of the measured values was scraped, in seconds since 1970
//
// Without machines, all machines of the group are taken to have been measured: a silent one is not noticed. With it, fewer than
// the group has (those that are too young to be known aside) are ceilometer.ErrPartial.
//
// Without timestamp nobody knows how old the value is. Prometheus answers with the time of the question, but takes samples that
// are up to five minutes old (Options.Lookback), and ranges in the expression reach further back. Then the oldest age of the
// look-back is assumed. An expression with ranges should say its timestamp.
//
// # Metrics without an expression
//
// cpu and memory are read from what Ceilometer exports to Prometheus (its own exporter, from release 2025.1, and sg-core before):
// ceilometer_cpu, nanoseconds, and ceilometer_memory_usage, MiB, with the labels resource (the server's id) and server_group.
// They are asked for machine by machine, and divided here by what the machine's flavor has.
package prometheus
