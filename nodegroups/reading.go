package nodegroups

import "time"

// Reading says how old the snapshot is.
type Reading struct {
	// At is when the cloud was last read completely, zero if it never was.
	At time.Time
	// Err is how the last try has failed, nil if it has not.
	Err error
}

// Reading returns how the last reading of the cloud went. It costs one atomic load.
func (m *Manager) Reading() Reading { return *m.reading.Load() }

// noteReading notes how a reading has ended.
func (m *Manager) noteReading(err error) {
	r := Reading{At: m.opts.Clock.Now()}
	if err != nil {
		r = Reading{At: m.Reading().At, Err: err}
	}
	m.reading.Store(&r)
}
