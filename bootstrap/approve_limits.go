package bootstrap

import "time"

// Times and bounds of an Approver, each with its reason.
const (
	// askTolerance is how far the clocks of Nova, of the API server and of this machine may be apart. A machine takes longer to
	// start than a well kept clock is wrong.
	askTolerance = time.Minute
	// listingTolerance is how long a new server, or its place in a stack, may stay unlisted.
	listingTolerance = 2 * time.Minute
	// lookback is how old a snapshot's member may be beyond its provision time and still be expected.
	lookback = 10 * time.Minute

	// recallFor is how old a look-up may be that a refusal rests on. An approval never rests on one.
	recallFor = 2 * time.Second
	// recalled bounds the memory for look-ups.
	recalled = 2000

	// firstRetry and slowestRetry bound the back-off of a request that is looked at again.
	firstRetry   = 250 * time.Millisecond
	slowestRetry = 30 * time.Second
	// inHandRetry is how soon a request is looked at again if another one for the same node is in hand.
	inHandRetry = 100 * time.Millisecond

	// Look-ups for names that no member is known to have. A member is known ten seconds after it was made; until then its
	// request shares these with whoever floods us.
	strangersPerSecond = 2
	strangersBurst     = 20
	// Refusals are written so fast, lest a flood of bad requests fills the API server with our answers.
	denialsPerSecond = 5
	denialsBurst     = 50
	denialRetry      = 5 * time.Second

	// expectedWorkers and the others decide requests at the same time, each lane for itself.
	expectedWorkers = 8
	servingWorkers  = 2
	strangerWorkers = 2

	// approvalsMost is how many requests with one key are approved for one machine: a kubelet that is started anew asks again.
	approvalsMost = 5

	// oneDecision is how long a decision may take.
	oneDecision = time.Minute
	// sweepInterval is how often new members are looked for in the snapshot, whose requests may wait in the wrong lane.
	sweepInterval = time.Second
	// lookAgain is how often requests are looked at again that were left pending.
	lookAgain = 10 * time.Minute
	// setupInterval is how often the cluster's own approval is looked at, and how soon a missing permission is asked for again.
	setupInterval = 5 * time.Minute

	// tellAgain is how soon the same is told of the same asker again.
	tellAgain = 10 * time.Minute
	// toldMost bounds the memory for what was told.
	toldMost = 1000
)
