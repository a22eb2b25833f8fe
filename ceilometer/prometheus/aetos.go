package prometheus

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"

	"github.com/gophercloud/gophercloud/v2"
	"github.com/gophercloud/gophercloud/v2/openstack/metric/v1/metrics"
	"github.com/prometheus/common/model"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

// Session signs in and finds Aetos in the catalog. Its client renews the token after a 401 and counts its requests.
type Session interface {
	// MetricStorage returns a client of the service metric-storage.
	MetricStorage(ctx context.Context) (*gophercloud.ServiceClient, error)
}

// ViaAetos, in place of an address, means the cloud's own Prometheus behind Keystone: NewAetos.
const ViaAetos = "aetos"

// NewAetos reads from Prometheus through Aetos. A user without the role admin or service sees the metrics of the session's
// project only: Aetos adds the label project to every selector, so metrics that don't have it are not found.
func NewAetos(session Session, options Options) *Source {
	return &Source{options: options.withDefaults(), service: &aetos{session}}
}

type aetos struct{ session Session }

func (*aetos) String() string { return "Prometheus through Aetos" }

// envelope is Prometheus' answer. gophercloud's own type of it has neither the warnings nor types for values.
type envelope struct {
	Status    string   `json:"status"`
	ErrorType string   `json:"errorType"`
	Error     string   `json:"error"`
	Warnings  []string `json:"warnings"`
	Data      struct {
		ResultType model.ValueType `json:"resultType"`
		Result     json.RawMessage `json:"result"`
	} `json:"data"`
}

// query gives nothing but the expression: Aetos refuses other parameters (aetos/controllers/api/v1/query.py).
func (a *aetos) query(ctx context.Context, expression string) (answer, error) {
	client, err := a.session.MetricStorage(ctx)
	if err != nil {
		return answer{}, err
	}
	result := metrics.Query(ctx, client, metrics.QueryOpts{Query: expression})
	if result.Err != nil {
		return answer{}, explainAetos(result.Err)
	}
	body, err := json.Marshal(result.Body)
	if err != nil {
		return answer{}, err
	}
	var said envelope
	if err := json.Unmarshal(body, &said); err != nil || said.Status == "" {
		return answer{}, errors.New("the answer is none of Prometheus; check the endpoint of the service metric-storage in the catalog")
	}
	if said.Status != "success" {
		return answer{}, fmt.Errorf("%s: %s; correct the expression", said.ErrorType, brief(said.Error))
	}
	if err := onlyVector(said.Data.ResultType); err != nil {
		return answer{}, err
	}
	found := answer{warnings: said.Warnings}
	if err := json.Unmarshal(said.Data.Result, &found.vector); err != nil {
		return answer{}, fmt.Errorf("the vector in the answer cannot be read: %w", err)
	}
	return found, nil
}

// refusal keeps the cause, for internal/openstack's questions about it, but says it in the cloud's words.
type refusal struct {
	text  string
	cause error
}

func (r *refusal) Error() string { return r.text }
func (r *refusal) Unwrap() error { return r.cause }

func explainAetos(err error) error {
	code, answered := openstack.StatusCode(err)
	if !answered {
		return err
	}
	remedy := "see Aetos' log"
	switch {
	case openstack.IsUnauthorized(err):
		remedy = "check the OpenStack credentials and, for an application credential, its access rules"
	case openstack.IsForbidden(err):
		remedy = "the user needs the role reader or member (the project's own metrics), or admin or service (all)"
	case openstack.IsNotFound(err):
		remedy = "check the endpoint of the service metric-storage in the catalog"
	case openstack.IsRateLimited(err), openstack.IsUnavailable(err):
		remedy = "it may pass; else see Aetos' log and Prometheus'"
	case code == 400:
		remedy = "correct the expression; Aetos refuses what it cannot limit to the project"
	}
	return &refusal{text: fmt.Sprintf("HTTP %d: %s; %s", code, openstack.Message(err), remedy), cause: err}
}
