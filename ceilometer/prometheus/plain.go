package prometheus

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"time"

	"github.com/prometheus/client_golang/api"
	apiv1 "github.com/prometheus/client_golang/api/prometheus/v1"
	"github.com/prometheus/common/config"
)

// New reads from the Prometheus at address, an URL such as https://prometheus.example.org or one with a path before /api/v1;
// Thanos, Mimir and VictoriaMetrics answer the same way. It must hold no credentials: those are the transport's, see Transport.
func New(address string, transport http.RoundTripper, options Options) (*Source, error) {
	u, err := url.Parse(address)
	switch {
	case err != nil:
		return nil, errors.New("the address of Prometheus is no URL; write it like https://prometheus.example.org:9090")
	case u.User != nil || u.RawQuery != "":
		return nil, fmt.Errorf("the address of Prometheus, host %s, has a user, password or query; put credentials into the HTTP configuration file", u.Host)
	case u.Scheme != "http" && u.Scheme != "https" || u.Host == "":
		return nil, fmt.Errorf("the address of Prometheus, %q, is not one of http or https; write it like https://prometheus.example.org:9090", address)
	}
	options = options.withDefaults()
	client, err := api.NewClient(api.Config{Address: address, RoundTripper: &bounded{transport}})
	if err != nil {
		return nil, fmt.Errorf("address of Prometheus: %w", err)
	}
	plain := &plain{address: u.String(), api: apiv1.NewAPI(client), lookback: options.Lookback}
	return &Source{options: options, service: plain}, nil
}

// Transport is an HTTP transport with the authentication and TLS settings of a file in Prometheus' own form for clients
// (http_config: authorization, basic_auth, oauth2, tls_config, proxy_url...). Secrets that it names by file (credentials_file,
// password_file, certificates) are read again when they change. Without a file it is one without credentials, that trusts
// the system's authorities. Relative names start at the file's folder.
func Transport(file string) (http.RoundTripper, error) {
	settings := &config.DefaultHTTPClientConfig
	if file != "" {
		text, err := os.ReadFile(file) //nolint:gosec // the operator names the file
		if err != nil {
			return nil, fmt.Errorf("HTTP configuration of Prometheus: %w", err)
		}
		if settings, err = config.LoadHTTPConfig(string(text)); err != nil {
			return nil, fmt.Errorf("HTTP configuration of Prometheus, %s: %w", file, err)
		}
		// LoadHTTPConfigFile takes relative names from the folder above the file's.
		settings.SetDirectory(filepath.Dir(file))
	}
	transport, err := config.NewRoundTripperFromConfig(*settings, "prometheus", config.WithUserAgent("cluster-autoscaler-openstack"))
	if err != nil {
		return nil, fmt.Errorf("HTTP configuration of Prometheus, %s: %w", file, err)
	}
	return transport, nil
}

// plain is Prometheus itself.
type plain struct {
	address  string
	api      apiv1.API
	lookback time.Duration
}

func (p *plain) String() string { return "Prometheus at " + p.address }

func (p *plain) query(ctx context.Context, expression string) (answer, error) {
	var options []apiv1.Option
	if p.lookback != DefaultLookback {
		options = append(options, apiv1.WithLookbackDelta(p.lookback))
	}
	value, warnings, err := p.api.Query(ctx, expression, time.Time{}, options...)
	if err != nil {
		return answer{}, explain(err)
	}
	if err := onlyVector(value.Type()); err != nil {
		return answer{}, err
	}
	return answer{vector: value.(vector), warnings: warnings}, nil //nolint:forcetypeassert // the type was asked just before
}

// status finds the HTTP status in client_golang's texts, where alone it is.
var status = regexp.MustCompile(`^(?:client|server) error: (\d{3})$`)

// explain says what to do about an error. It leaves out the bodies of answers that are not Prometheus' own: a proxy may repeat
// in them what it was sent.
func explain(err error) error {
	var refusal *apiv1.Error
	if !errors.As(err, &refusal) {
		return err
	}
	remedy := "see Prometheus' log"
	switch refusal.Type {
	case apiv1.ErrBadData:
		remedy = "correct the expression; promtool or Prometheus' own page shows where it is wrong"
	case apiv1.ErrTimeout, apiv1.ErrCanceled:
		remedy = "make the query cheaper, with a recording rule for instance"
	case apiv1.ErrBadResponse:
		remedy = "check the address: what answers there is no Prometheus"
	case apiv1.ErrExec:
		remedy = "try the expression on Prometheus' own page"
	default: // it is told by its HTTP status, below
	}
	if code := status.FindStringSubmatch(refusal.Msg); code != nil {
		switch code[1] {
		case "401", "403":
			remedy = "check the credentials in the HTTP configuration file"
		case "404":
			remedy = "check the address: it is the one before /api/v1"
		case "429", "502", "503", "504":
			remedy = "it may pass; else see the log of Prometheus or of the proxy before it"
		}
		return fmt.Errorf("the answer is HTTP %s; %s", code[1], remedy)
	}
	return fmt.Errorf("%s: %s; %s", refusal.Type, brief(refusal.Msg), remedy)
}

// mostBody bounds an answer: a vector of some thousand elements has about a MiB.
const mostBody = 32 << 20

// bounded ends answers that are too large.
type bounded struct{ next http.RoundTripper }

func (b *bounded) RoundTrip(request *http.Request) (*http.Response, error) {
	response, err := b.next.RoundTrip(request)
	if err != nil {
		return nil, err
	}
	response.Body = &boundedBody{ReadCloser: response.Body, left: mostBody}
	return response, nil
}

type boundedBody struct {
	io.ReadCloser
	left int
}

func (b *boundedBody) Read(p []byte) (int, error) {
	if b.left <= 0 {
		return 0, fmt.Errorf("the answer is longer than %d MiB; aggregate by node group in the expression", mostBody>>20)
	}
	n, err := b.ReadCloser.Read(p[:min(len(p), b.left)])
	b.left -= n
	return n, err
}
