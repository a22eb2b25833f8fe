package openstack

import (
	"time"

	"k8s.io/utils/clock"
)

// Defaults of Options. The rate is far above what a refresh needs (two calls when nothing happens) and far below what
// public clouds grant a user.
const (
	DefaultUserAgent      = "cluster-autoscaler-openstack"
	DefaultRequestTimeout = 30 * time.Second
	DefaultRate           = 20.0
	DefaultBurst          = 40
)

// Options say where the credentials are and how the cloud may be called. The zero value reads OS_CLOUD or the other OS_*
// variables and has the defaults above.
//
// The first of these that is given is used: CloudConfig; Cloud, or else OS_CLOUD; the variables OS_AUTH_URL and so on.
type Options struct {
	// CloudConfig is the path of a cloud.conf, the INI file of cloud-provider-openstack. Only its section [Global] is used.
	CloudConfig string
	// Cloud is the name of an entry of clouds.yaml. The file is the one that OS_CLIENT_CONFIG_FILE names, else
	// ./clouds.yaml, else ~/.config/openstack/clouds.yaml, else /etc/openstack/clouds.yaml.
	Cloud string
	// UserAgent is how requests introduce themselves; DefaultUserAgent if empty.
	UserAgent string
	// RequestTimeout bounds one HTTP request and its answer, and how long a request may wait because the cloud asked for it
	// when its context has no deadline; DefaultRequestTimeout if zero.
	RequestTimeout time.Duration
	// Rate is the number of requests per second to all services together, DefaultRate if zero, no limit if negative.
	Rate float64
	// Burst is how many requests may go at once before Rate holds them; DefaultBurst if zero.
	Burst int
	// Observer is told of every request; it may be nil.
	Observer Observer
	// Clock is for waiting and for measuring; the real one if nil.
	Clock clock.Clock
}

// Observer is told of every HTTP request. It is called from many goroutines and should return at once.
type Observer interface {
	// Observe is called when the answer has been read to its end. The service is keystone, heat, nova, glance, neutron and
	// so on; code is the HTTP status, 0 if there was no answer or only a part of one.
	Observe(service, method string, code int, took time.Duration)
}

// ObserverFunc is a function as an Observer.
type ObserverFunc func(service, method string, code int, took time.Duration)

// Observe calls f.
func (f ObserverFunc) Observe(service, method string, code int, took time.Duration) {
	f(service, method, code, took)
}

func (o Options) withDefaults() Options {
	if o.UserAgent == "" {
		o.UserAgent = DefaultUserAgent
	}
	if o.RequestTimeout == 0 {
		o.RequestTimeout = DefaultRequestTimeout
	}
	if o.Rate == 0 {
		o.Rate = DefaultRate
	}
	if o.Burst == 0 {
		o.Burst = DefaultBurst
	}
	if o.Observer == nil {
		o.Observer = ObserverFunc(func(string, string, int, time.Duration) {})
	}
	if o.Clock == nil {
		o.Clock = clock.RealClock{}
	}
	return o
}
