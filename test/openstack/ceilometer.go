package simulator

import "time"

// Ceilometer says how the cloud's Ceilometer measures servers.
type Ceilometer struct {
	// PollingInterval is the time between two looks at a server; 5 minutes if zero, as shipped.
	PollingInterval time.Duration
	// Granularity is that of the archive policies ceilometer-low and ceilometer-low-rate; 5 minutes if zero, as shipped. It has
	// nothing to do with PollingInterval.
	Granularity time.Duration
	// Delay is how long after a poll its measures are visible in Gnocchi (queue, notification agent, metricd).
	Delay time.Duration
}

// telemetry is a running Ceilometer. Nothing of it is an event in the queue: what was polled is worked out when somebody looks
// or something changes, so a cloud with Ceilometer comes to rest like one without.
type telemetry struct {
	options  Ceilometer
	done     time.Time // up to which everything has been measured
	next     time.Time // of the next poll
	machines []*machine
	byServer map[*server]*machine
	orders   []loadOrder
}

// machine is a server as its hypervisor knows it.
type machine struct {
	server   *server
	group    string // its metering.server_group, kept when the server is gone
	stack    string // its root stack's name
	running  bool
	silent   bool
	cpu      float64 // counter, nanoseconds
	memory   float64 // percent of the flavor's
	resource *metricResource
}

// loadOrder is what a test has said about a server or a group, also for machines that come later. The last one counts.
type loadOrder struct {
	target  string
	percent float64
	work    bool // percent is of one machine, to be shared by all that run
	memory  bool
	silent  *bool
}

// StartCeilometer lets Ceilometer measure every server from now on: meters cpu and memory.usage of those that run, on a resource of
// type instance with the server's metering.server_group. Servers are idle until SetLoad or SetWork. It may be called again to
// change the options.
func (s *Simulator) StartCeilometer(options Ceilometer) {
	s.lock()
	defer s.mu.Unlock()
	if options.PollingInterval == 0 {
		options.PollingInterval = 5 * time.Minute
	}
	if options.Granularity == 0 {
		options.Granularity = 5 * time.Minute
	}
	s.metrics.lowPolicies(options.Granularity)
	if s.telemetry != nil {
		s.measure()
		s.telemetry.options = options
		s.telemetry.next = s.now.Add(options.PollingInterval)
		return
	}
	s.telemetry = &telemetry{options: options, done: s.now, next: s.now.Add(options.PollingInterval), byServer: map[*server]*machine{}}
	for _, p := range s.projects {
		for _, srv := range p.servers {
			s.noticed(srv)
		}
	}
}

// SetLoad sets how busy a server is, or every server of a group, in percent of its vcpus, now and for those that come later. The
// target is a server's id, a metering.server_group or the name of a root stack.
func (s *Simulator) SetLoad(target string, percent float64) {
	s.order(loadOrder{target: target, percent: percent})
}

// SetWork gives a group work for so many machines, which its running servers share evenly: with more of them each is less busy, and
// none is ever more than fully busy. The target is a metering.server_group or the name of a root stack.
func (s *Simulator) SetWork(target string, machines float64) {
	s.order(loadOrder{target: target, percent: 100 * machines, work: true})
}

// SetMemory sets how much of its memory a server, or every server of a group, uses, in percent.
func (s *Simulator) SetMemory(target string, percent float64) {
	s.order(loadOrder{target: target, percent: percent, memory: true})
}

// Silence makes Ceilometer miss a server, or every server of a group, until it is called with false.
func (s *Simulator) Silence(target string, silent bool) {
	s.order(loadOrder{target: target, silent: &silent})
}

// ResetCounter lets the cumulative meters of a server begin anew, as a hard reboot does.
func (s *Simulator) ResetCounter(server string) {
	s.lock()
	defer s.mu.Unlock()
	s.measure()
	for _, m := range s.telemetry.machines {
		if m.server.id == server {
			m.cpu = 0
		}
	}
}

// SetMeasuresDelay says how long after it arrived a measure that is pushed by HTTP is visible.
func (s *Simulator) SetMeasuresDelay(delay time.Duration) {
	s.lock()
	defer s.mu.Unlock()
	s.metrics.delay = delay
}

func (s *Simulator) order(o loadOrder) {
	s.lock()
	defer s.mu.Unlock()
	if s.telemetry == nil {
		panic("simulated OpenStack: call StartCeilometer first")
	}
	s.measure()
	s.telemetry.orders = append(s.telemetry.orders, o)
	for _, m := range s.telemetry.machines {
		m.obey(o)
	}
}

func (m *machine) is(target string) bool {
	return target != "" && (m.server.id == target || m.group == target || m.stack == target)
}

// obey takes over what does not depend on others.
func (m *machine) obey(o loadOrder) {
	switch {
	case !m.is(o.target):
	case o.silent != nil:
		m.silent = *o.silent
	case o.memory:
		m.memory = o.percent
	}
}

// noticed takes a server in, or takes over that it was switched on or off or is gone. The caller has called measure.
func (s *Simulator) noticed(srv *server) {
	t := s.telemetry
	m := t.byServer[srv]
	if m == nil {
		if srv.status != "ACTIVE" {
			return
		}
		m = &machine{server: srv, group: srv.metadata["metering.server_group"], memory: 25}
		_, m.stack, _ = srv.origin()
		for _, o := range t.orders {
			m.obey(o)
		}
		m.resource = s.newMetricResource("instance", srv.id, srv.project.ID, "")
		m.resource.attributes = map[string]any{
			"display_name": srv.name, "host": "fake-1", "flavor_id": srv.flavor.ID, "flavor_name": srv.flavor.Name, "server_group": nil,
		}
		if m.group != "" {
			m.resource.attributes["server_group"] = m.group
		}
		t.machines = append(t.machines, m)
		t.byServer[srv] = m
	}
	running := srv.status == "ACTIVE"
	if running && !m.running {
		m.cpu = 0 // libvirt counts from the start of the domain
	}
	m.running = running
	if srv.status == "DELETED" {
		m.resource.ended = s.now
		delete(t.byServer, srv)
		for i, one := range t.machines {
			if one == m {
				t.machines = append(t.machines[:i], t.machines[i+1:]...)
				break
			}
		}
	}
}

// measure lets the counters run, and Ceilometer poll, until now.
func (s *Simulator) measure() {
	t := s.telemetry
	if t == nil {
		return
	}
	for !t.next.After(s.now) {
		t.run(t.next)
		t.poll(s)
		t.next = t.next.Add(t.options.PollingInterval)
	}
	t.run(s.now)
}

// run lets the counters run until a moment.
func (t *telemetry) run(until time.Time) {
	passed := until.Sub(t.done)
	if passed <= 0 {
		return
	}
	t.done = until
	busy := t.busy()
	for i, m := range t.machines {
		if m.running {
			m.cpu += busy[i] / 100 * float64(m.server.flavor.VCPUs) * float64(passed)
		}
	}
}

// busy is how busy each machine is, in percent.
func (t *telemetry) busy() []float64 {
	busy := make([]float64, len(t.machines))
	for _, o := range t.orders {
		if o.memory || o.silent != nil {
			continue
		}
		running := 0
		for _, m := range t.machines {
			if m.running && m.is(o.target) {
				running++
			}
		}
		for i, m := range t.machines {
			if !m.is(o.target) {
				continue
			}
			busy[i] = o.percent
			if o.work {
				busy[i] = min(100, o.percent/float64(max(running, 1)))
			}
		}
	}
	return busy
}

// poll is one round of Ceilometer's, at the moment that the counters have reached.
func (t *telemetry) poll(s *Simulator) {
	visible := t.done.Add(t.options.Delay)
	for _, m := range t.machines {
		if !m.running || m.silent {
			continue
		}
		m.meter(s, "cpu", "ns", lowRatePolicy).add(t.done, m.cpu, visible)
		m.meter(s, "memory.usage", "MB", lowPolicy).add(t.done, m.memory/100*float64(m.server.flavor.RAMMiB), visible)
	}
}

func (m *machine) meter(s *Simulator, name, unit, policy string) *meter {
	one := m.resource.metrics[name]
	if one == nil {
		one = &meter{id: s.uuid(), name: name, unit: unit, policy: s.metrics.policies[policy]}
		m.resource.metrics[name] = one
	}
	return one
}
