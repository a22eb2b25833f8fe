package heatstack

import "time"

// All intervals of the reading half, with their reasons.
const (
	// fullListInterval: changes-since has told everything since the last full list, unless a clock jumped or Nova's database
	// was restored. A full list of 5,000 servers is 8 MB, so it comes rarely.
	fullListInterval = 10 * time.Minute
	// fullListJitter keeps several autoscalers of one cloud from asking at the same moment; a part of the interval.
	fullListJitter = 0.2
	// listOverlap is how far an incremental list reaches back beyond the last one: Nova writes updated_at before the row is
	// committed, and its database may have replicas.
	listOverlap = 10 * time.Second
	// listOverlapOwnClock is the same where Nova does not tell its time and ours is used, which may be ahead of it.
	listOverlapOwnClock = 2 * time.Minute
	// flavorLifetime: flavors hardly ever change; new ones are noticed sooner, by a name that is not known yet.
	flavorLifetime = 10 * time.Minute
	// unknownFlavorRetry bounds how often flavors are read again for a name that stays unknown.
	unknownFlavorRetry = 2 * time.Minute
	// misspeltInterval: a tag is written by hand and then stays; looking for slips costs a list of all stacks.
	misspeltInterval = 15 * time.Minute
	// relistFirst and relistMost bound how often Heat's members are listed while their number does not agree with the
	// size: at first it may only be a matter of seconds, later somebody has to mend something.
	relistFirst = 30 * time.Second
	relistMost  = 15 * time.Minute
	// readsAtOnce is how many stacks are read in parallel in one refresh.
	readsAtOnce = 6
	// verifiedPerRefresh bounds the servers that are asked for one by one in a refresh, per stack.
	verifiedPerRefresh = 10
)
