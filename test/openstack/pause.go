package simulator

// PauseCompute makes Nova's compute hosts stand still: servers stay in BUILD, and those being deleted stay until
// ResumeCompute. What does not need a host goes on: the APIs answer, quotas are checked, and a server for which there is
// no host goes to ERROR.
func (s *Simulator) PauseCompute() {
	s.lock()
	defer s.mu.Unlock()
	s.paused = true
}

// ResumeCompute lets the compute hosts work on, beginning with what has become due meanwhile.
func (s *Simulator) ResumeCompute() {
	s.lock()
	defer s.mu.Unlock()
	s.paused = false
	held := s.held
	s.held = nil
	for _, work := range held {
		s.after(0, work)
	}
}

// onHost runs work of a compute host, when the hosts work. The caller holds the lock, and so does work.
func (s *Simulator) onHost(work func()) {
	if s.paused {
		s.held = append(s.held, work)
		return
	}
	work()
}
