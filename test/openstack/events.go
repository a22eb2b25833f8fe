package simulator

import (
	"container/heap"
	"time"
)

// event is something that happens at a moment of virtual time.
type event struct {
	at   time.Time
	seq  uint64
	run  func()
	dead func() bool // nil, or says that running it would do nothing
}

// eventQueue is a heap of events, earliest first, in the order they were made when due at the same moment.
type eventQueue []*event

func (q eventQueue) Len() int { return len(q) }
func (q eventQueue) Less(i, j int) bool {
	if q[i].at.Equal(q[j].at) {
		return q[i].seq < q[j].seq
	}
	return q[i].at.Before(q[j].at)
}
func (q eventQueue) Swap(i, j int) { q[i], q[j] = q[j], q[i] }

// Push is for container/heap.
func (q *eventQueue) Push(x any) { *q = append(*q, x.(*event)) }

// Pop is for container/heap.
func (q *eventQueue) Pop() any {
	old := *q
	last := old[len(old)-1]
	old[len(old)-1] = nil
	*q = old[:len(old)-1]
	return last
}

// after lets run happen in d from now. The caller holds the lock, and so does run.
func (s *Simulator) after(d time.Duration, run func()) {
	s.schedule(&event{at: s.now.Add(d), run: run})
}

// schedule puts an event into the queue.
func (s *Simulator) schedule(e *event) {
	s.sequence++
	e.seq = s.sequence
	heap.Push(&s.queue, e)
	select {
	case s.wake <- struct{}{}:
	default:
	}
}

// virtual is the virtual time that belongs to the clock's present.
func (s *Simulator) virtual() time.Time {
	return s.base.Add(s.skipped + time.Duration(float64(s.clock.Since(s.base))*s.opts.Speed))
}

// advance runs everything that is due. The caller holds the lock.
func (s *Simulator) advance() {
	target := s.virtual()
	for len(s.queue) > 0 && !s.queue[0].at.After(target) {
		next := heap.Pop(&s.queue).(*event)
		if next.at.After(s.now) {
			s.now = next.at
		}
		next.run()
	}
	if target.After(s.now) {
		s.now = target
	}
}

// lock takes the lock and runs everything that is due.
func (s *Simulator) lock() {
	s.mu.Lock()
	s.advance()
}

// Now is the cloud's virtual time. Everything due by then has happened.
func (s *Simulator) Now() time.Time {
	s.lock()
	defer s.mu.Unlock()
	return s.now
}

// NextEvent says in how much virtual time something will happen next; false if nothing is under way.
// A test with a fake clock may step by it.
func (s *Simulator) NextEvent() (time.Duration, bool) {
	s.lock()
	defer s.mu.Unlock()
	for len(s.queue) > 0 && s.queue[0].dead != nil && s.queue[0].dead() {
		heap.Pop(&s.queue)
	}
	if len(s.queue) == 0 {
		return 0, false
	}
	return s.queue[0].at.Sub(s.now), true
}

// FastForward lets virtual time jump ahead by d, on top of what the clock does.
func (s *Simulator) FastForward(d time.Duration) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.skipped += d
	s.advance()
}

// drive runs events as they become due, so that watchers hear of them without anybody asking.
func (s *Simulator) drive() {
	for {
		s.mu.Lock()
		s.advance()
		pause := time.Hour
		if len(s.queue) > 0 {
			pause = time.Duration(float64(s.queue[0].at.Sub(s.now))/s.opts.Speed) + time.Millisecond
		}
		s.mu.Unlock()
		timer := s.clock.NewTimer(pause)
		select {
		case <-s.stop:
			timer.Stop()
			return
		case <-s.wake:
		case <-timer.C():
		}
		timer.Stop()
	}
}
