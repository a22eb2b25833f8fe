package bootstrap

import (
	"context"
	"fmt"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/utils/clock"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// recall remembers look-ups for moments, so that a thousand requests in one name cost one look-up.
type recall struct {
	clock clock.PassiveClock
	mu    sync.Mutex
	known map[string]remembered
}

type remembered struct {
	at    time.Time
	value any
	err   error
}

func newRecall(c clock.PassiveClock) recall { return recall{clock: c, known: map[string]remembered{}} }

func (m *recall) get(key string) (remembered, bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	r, ok := m.known[key]
	return r, ok && m.clock.Since(r.at) < recallFor
}

func (m *recall) put(key string, value any, err error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if len(m.known) >= recalled {
		clear(m.known)
	}
	m.known[key] = remembered{m.clock.Now(), value, err}
}

// inquiry is what one decision looks up.
type inquiry struct {
	*Approver
	// own is what this decision has asked for itself.
	own map[string]remembered
	// fresh: nothing is taken from memory. Otherwise remembered says whether something was.
	fresh, remembered bool
}

func (a *Approver) newInquiry() *inquiry { return &inquiry{Approver: a, own: map[string]remembered{}} }

// find answers from memory if it may, else asks and remembers.
func find[T any](q *inquiry, key string, ask func() (T, error)) (T, error) {
	r, ok := q.own[key]
	if !ok && !q.fresh {
		if r, ok = q.recall.get(key); ok {
			q.remembered = true
		}
	}
	if !ok {
		value, err := ask()
		q.recall.put(key, value, err)
		r = remembered{value: value, err: err}
		q.own[key] = r
	}
	value, _ := r.value.(T)
	return value, r.err
}

// group is the node group of a token, "" if the token is not ours or not any more.
func (q *inquiry) group(ctx context.Context, tokenID string) (string, error) {
	return find(q, "token/"+tokenID, func() (string, error) {
		group, found, err := q.opts.Tokens.NodeGroup(ctx, tokenID)
		if err == nil && found && group == "" {
			err = fmt.Errorf("token %s has no node group", tokenID)
		}
		if !found {
			group = ""
		}
		return group, err
	})
}

// node is the Node of this name, nil if there is none. It is read from the API server, whose caches are never asked.
func (q *inquiry) node(ctx context.Context, name string) (*v1.Node, error) {
	return find(q, "node/"+name, func() (*v1.Node, error) {
		node, err := q.client.CoreV1().Nodes().Get(ctx, name, metav1.GetOptions{})
		switch {
		case apierrors.IsNotFound(err):
			return nil, nil
		case err != nil:
			return nil, err
		}
		return node, nil
	})
}

// machines are the servers of this host name.
func (q *inquiry) machines(ctx context.Context, hostName string) ([]nodegroups.Machine, error) {
	return find(q, "machine/"+hostName, func() ([]nodegroups.Machine, error) { return q.opts.Machines.FindMachines(ctx, hostName) })
}
