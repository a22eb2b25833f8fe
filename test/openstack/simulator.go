package simulator

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"k8s.io/utils/clock"
)

// Options configure a Simulator. The zero value is a cloud in real time with the timing of a small real one.
type Options struct {
	// Clock drives the virtual time; the real clock if nil.
	Clock clock.Clock
	// Speed is how many virtual seconds pass in one second of Clock; 1 if zero.
	Speed float64
	// Seed makes ids, orders and names repeatable; the same for every run if zero.
	Seed uint64
	// Timing says how long things take in virtual time; DefaultTiming() if nil.
	Timing *Timing
	// Region is the region of the catalog; RegionOne if empty.
	Region string
	// Classic makes new stacks use Heat's classic engine instead of convergence: 409 while an update runs.
	Classic bool
	// PatchTime is how long, on Clock, Heat needs between reading a stack and writing it for a PATCH. Two PATCHes that
	// overlap are both answered 202 and one is lost. 2 ms if zero, not at all if negative or with a clock other than the real one.
	PatchTime time.Duration
	// TokenLife is how long, in virtual time, a token is good for; 4 hours if zero.
	TokenLife time.Duration
	// MaxResources is Heat's max_resources_per_stack, nested stacks included; 1000 if zero, -1 for none.
	MaxResources int
	// Empty leaves out the project, users, flavors, image and network that New otherwise makes.
	Empty bool
}

// Simulator is one simulated cloud. Its methods are safe for concurrent use.
type Simulator struct {
	opts   Options
	timing Timing
	clock  clock.Clock

	mu       sync.Mutex
	base     time.Time     // Clock's time at the start
	skipped  time.Duration // by FastForward
	now      time.Time     // virtual time of the event being run
	queue    eventQueue
	sequence uint64
	wake     chan struct{}
	rng      *rand.Rand

	projects []*Project
	users    []*user
	tokens   map[string]*token
	flavors  []*Flavor
	images   []*Image
	networks []*Network

	stacks     map[string]*stack // by id, nested ones and deleted ones too
	servers    map[string]*server
	serverSeq  int
	configs    map[string]string // OS::Heat::SoftwareConfig and its kin, by id
	history    history
	faults     faultSet
	calls      callCounter
	dispatcher *dispatcher
	loseNext   map[string]int
	late       int            // workers that wait to carry out an update, see latecomer
	twice      map[string]int // how many updates of a stack are to be carried out twice
	beforeSave map[string][]func()
	paused     bool     // by PauseCompute
	held       []func() // what the compute hosts have to do when they go on
	builds     []*buildFailure
	classic    bool
	metrics    *metricStore
	telemetry  *telemetry // nil before StartCeilometer
	rulesUsed  map[string]map[AccessRule]int

	listener net.Listener
	server   *http.Server
	stop     chan struct{}
	wait     sync.WaitGroup
	baseURL  string
}

// New makes a cloud. Unless Options.Empty is set it has the region's usual furniture: project and user demo
// (password "secret"), project and user admin, flavors m1.tiny to m1.xlarge, image node-image and network nodes.
func New(opts Options) *Simulator {
	if opts.Clock == nil {
		opts.Clock = clock.RealClock{}
	}
	if opts.Speed == 0 {
		opts.Speed = 1
	}
	if opts.Region == "" {
		opts.Region = "RegionOne"
	}
	if opts.TokenLife == 0 {
		opts.TokenLife = 4 * time.Hour
	}
	if opts.MaxResources == 0 {
		opts.MaxResources = 1000
	}
	_, realTime := opts.Clock.(clock.RealClock)
	if opts.PatchTime == 0 {
		opts.PatchTime = 2 * time.Millisecond
	}
	if !realTime || opts.PatchTime < 0 {
		opts.PatchTime = 0
	}
	s := &Simulator{
		opts: opts, timing: DefaultTiming(), clock: opts.Clock,
		wake:   make(chan struct{}, 1),
		rng:    rand.New(rand.NewPCG(opts.Seed, opts.Seed+1)), //nolint:gosec // repeatable on purpose
		tokens: map[string]*token{}, stacks: map[string]*stack{}, servers: map[string]*server{}, configs: map[string]string{},
		loseNext: map[string]int{}, twice: map[string]int{}, beforeSave: map[string][]func(){}, classic: opts.Classic,
		metrics: newMetricStore(),
		stop:    make(chan struct{}),
	}
	if opts.Timing != nil {
		s.timing = *opts.Timing
	}
	s.base = opts.Clock.Now()
	s.now = s.base
	s.dispatcher = newDispatcher()
	s.wait.Add(1)
	go func() { defer s.wait.Done(); s.dispatcher.run() }()
	if !opts.Empty {
		s.furnish()
	}
	return s
}

// furnish makes what every small cloud has.
func (s *Simulator) furnish() {
	for _, name := range []string{"demo", "admin"} {
		p := s.AddProject(name, DefaultQuota())
		s.AddUser(name, "secret", name == "admin", p.Name)
	}
	for _, f := range []Flavor{
		{Name: "m1.tiny", VCPUs: 1, RAMMiB: 512, DiskGiB: 1},
		{Name: "m1.small", VCPUs: 1, RAMMiB: 2048, DiskGiB: 20},
		{Name: "m1.medium", VCPUs: 2, RAMMiB: 4096, DiskGiB: 40},
		{Name: "m1.large", VCPUs: 4, RAMMiB: 8192, DiskGiB: 80},
		{Name: "m1.xlarge", VCPUs: 8, RAMMiB: 16384, DiskGiB: 160},
		{Name: "m1.huge", VCPUs: 2000, RAMMiB: 4096, DiskGiB: 40, NoValidHost: true},
	} {
		s.AddFlavor(f)
	}
	s.AddImage(Image{Name: "node-image"})
	s.AddNetwork("nodes")
}

// Start serves the cloud's APIs on address, such as 127.0.0.1:0, until Close.
func (s *Simulator) Start(address string) error {
	var config net.ListenConfig
	listener, err := config.Listen(context.Background(), "tcp", address)
	if err != nil {
		return fmt.Errorf("simulated OpenStack: %w", err)
	}
	s.mu.Lock()
	s.listener = listener
	s.baseURL = "http://" + listener.Addr().String()
	s.server = &http.Server{Handler: s.Handler(), ReadHeaderTimeout: time.Minute}
	server := s.server
	s.mu.Unlock()
	s.wait.Add(2)
	go func() {
		defer s.wait.Done()
		if err := server.Serve(listener); err != nil && !errors.Is(err, http.ErrServerClosed) {
			panic(fmt.Sprintf("simulated OpenStack: %v", err))
		}
	}()
	go func() { defer s.wait.Done(); s.drive() }()
	return nil
}

// Close ends serving and every goroutine. The state can still be read.
func (s *Simulator) Close() {
	s.mu.Lock()
	server := s.server
	select {
	case <-s.stop:
	default:
		close(s.stop)
	}
	s.mu.Unlock()
	if server != nil {
		_ = server.Close()
	}
	s.dispatcher.close()
	s.wait.Wait()
}

// URL is where the cloud's APIs are, without a final slash. Empty before Start.
func (s *Simulator) URL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.baseURL
}

// AuthURL is Keystone's address for clients.
func (s *Simulator) AuthURL() string { return s.URL() + "/identity/v3" }

// CloudsYAML is a clouds.yaml with one entry "simulator" for the user in the project.
func (s *Simulator) CloudsYAML(userName, project string) string {
	return fmt.Sprintf(`clouds:
  simulator:
    region_name: %s
    identity_api_version: 3
    auth:
      auth_url: %s
      username: %s
      password: %s
      project_name: %s
      user_domain_name: Default
      project_domain_name: Default
`, s.opts.Region, s.AuthURL(), userName, s.password(userName), project)
}

// CloudConf is a cloud.conf as cloud-provider-openstack reads it, for the user in the project.
func (s *Simulator) CloudConf(userName, project string) string {
	return fmt.Sprintf("[Global]\nauth-url=%q\nusername=%q\npassword=%q\ntenant-name=%q\ndomain-name=\"Default\"\nregion=%q\n",
		s.AuthURL(), userName, s.password(userName), project, s.opts.Region)
}

// Environment is the user's OS_* variables.
func (s *Simulator) Environment(userName, project string) []string {
	return []string{
		"OS_AUTH_URL=" + s.AuthURL(), "OS_USERNAME=" + userName, "OS_PASSWORD=" + s.password(userName),
		"OS_PROJECT_NAME=" + project, "OS_USER_DOMAIN_NAME=Default", "OS_PROJECT_DOMAIN_NAME=Default",
		"OS_REGION_NAME=" + s.opts.Region, "OS_IDENTITY_API_VERSION=3",
	}
}

func (s *Simulator) endpoint(path string) string {
	return s.baseURL + path
}

// hostPort is the simulator's address as it appears in WWW-Authenticate headers.
func (s *Simulator) keystoneHost() string {
	u, err := url.Parse(s.baseURL)
	if err != nil {
		return ""
	}
	return strings.TrimSuffix(u.String(), "/") + "/identity"
}
