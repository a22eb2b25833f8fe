package gnocchi

import "time"

// PollingInterval is the polling interval that was found for a metric whose points have that granularity; false while none was. It is
// memory only.
func (s *Source) PollingInterval(metric string, granularity time.Duration) (time.Duration, bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	found, ok := s.intervals[intervalKey{metric, granularity}]
	return found.interval, ok && found.interval > 0
}
