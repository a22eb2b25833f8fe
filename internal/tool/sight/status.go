package sight

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/installed"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cluster"
)

// statusPath is where the autoscaler serves its status as JSON.
const statusPath = "/status.json"

// Bounds of one answer.
const (
	statusTimeout = 15 * time.Second
	statusMost    = 64 << 20
)

// podStatus is the status that the pods of the autoscaler serve, through the API server. The leader's is wanted.
type podStatus struct {
	cluster *cluster.Reader
	pods    []v1.Pod
}

func (p *podStatus) read(ctx context.Context) (*reading, error) {
	ctx, cancel := context.WithTimeout(ctx, statusTimeout)
	defer cancel()
	var second *reading
	var errs []error
	for i := range p.pods {
		pod := &p.pods[i]
		port := installed.StatusPort(pod)
		if port == 0 {
			continue
		}
		body, err := p.cluster.FetchStatus(ctx, pod, port, statusPath)
		if err != nil {
			errs = append(errs, err)
			continue
		}
		found, leads, err := decodeStatus(body, fmt.Sprintf("the status of pod %s/%s", pod.Namespace, pod.Name))
		switch {
		case err != nil:
			errs = append(errs, err)
		case leads:
			return found, nil
		default:
			second = found
		}
	}
	if second != nil {
		return second, nil
	}
	if len(errs) == 0 {
		return nil, errors.New("the autoscaler's pods serve no status")
	}
	return nil, errors.Join(errs...)
}

func (*podStatus) close() {}

// urlStatus is the status at an address.
type urlStatus struct {
	address string
	client  *http.Client
}

func newStatusURL(address string) (way, error) {
	u, err := url.Parse(address)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, cli.Usagef("--status-url: not an http or https address; write one such as http://127.0.0.1:8090")
	}
	if !strings.HasSuffix(u.Path, statusPath) {
		u.Path = strings.TrimSuffix(u.Path, "/") + statusPath
	}
	return &urlStatus{address: u.String(), client: &http.Client{Timeout: statusTimeout}}, nil
}

func (s *urlStatus) read(ctx context.Context) (*reading, error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, s.address, http.NoBody)
	if err != nil {
		return nil, fmt.Errorf("--status-url: %w", err)
	}
	request.Header.Set("User-Agent", cli.UserAgent)
	response, err := s.client.Do(request)
	if err != nil {
		return nil, fmt.Errorf("--status-url: %w; is the autoscaler started with --status-address, and can it be reached from here?", err)
	}
	defer response.Body.Close()
	body, err := io.ReadAll(io.LimitReader(response.Body, statusMost))
	switch {
	case err != nil:
		return nil, fmt.Errorf("--status-url: reading the answer: %w", err)
	case response.StatusCode != http.StatusOK:
		return nil, fmt.Errorf("--status-url: %s answers %s; name the address of --status-address", request.URL.Redacted(), response.Status)
	}
	found, _, err := decodeStatus(body, "the autoscaler's status at "+request.URL.Redacted())
	return found, err
}

func (*urlStatus) close() {}
