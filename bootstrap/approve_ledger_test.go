package bootstrap

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	clienttesting "k8s.io/client-go/testing"
)

func TestLedgerOfManyAtOnce(t *testing.T) {
	r := newRig(t)
	l := r.approver.ledger
	slow := make(chan struct{})
	var first sync.Once
	r.client.PrependReactor("create", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) {
		first.Do(func() { <-slow })
		return false, nil, nil
	})
	var claims sync.WaitGroup
	results := make([]error, 40)
	for i := range results {
		claims.Go(func() { results[i] = l.claim(t.Context(), fmt.Sprint("n", i/2), "s", fmt.Sprint("k", i%2)) })
	}
	require.Eventually(t, func() bool {
		l.mu.Lock()
		defer l.mu.Unlock()
		return len(l.wishes) == len(results)-1
	}, 30*time.Second, time.Millisecond)
	close(slow)
	claims.Wait()
	for i := 0; i < len(results); i += 2 {
		refused := errors.Is(results[i], errSecondKey)
		require.NotEqual(t, refused, errors.Is(results[i+1], errSecondKey), "of two keys for one machine exactly one")
	}
	require.Len(t, r.joins(), 20)
	writes := 0
	for _, a := range r.client.Actions() {
		if a.GetResource().Resource == "configmaps" && a.GetVerb() != "get" {
			writes++
		}
	}
	require.Equal(t, 2, writes, "those that came during the first share the second")
}

func TestLedgerForgetsWhatIsOld(t *testing.T) {
	r := newRig(t)
	l := r.approver.ledger
	require.NoError(t, l.claim(t.Context(), "old", "s", "k"))
	r.clock.Step(joinsKept + time.Minute)
	require.NoError(t, l.claim(t.Context(), "new", "s", "k"))
	require.Len(t, r.joins(), 1)

	entries := map[string]string{"broken": "x"}
	for i := range joinsMost + 5 {
		entries[fmt.Sprint("n", i)] = "s k " + r.clock.Now().Add(time.Duration(i)*time.Second).UTC().Format(time.RFC3339)
	}
	prune(entries, r.clock.Now())
	require.Len(t, entries, joinsMost)
	require.NotContains(t, entries, "n0", "the oldest go first")
	require.Contains(t, entries, "broken", "for somebody to look at")
}

func TestLedgerThatCannotBeRead(t *testing.T) {
	r := newRig(t)
	_, err := r.client.CoreV1().ConfigMaps("kube-system").Create(t.Context(), &v1.ConfigMap{
		ObjectMeta: metav1.ObjectMeta{Name: JoinsConfigMap}, Data: map[string]string{honest: "what", "other": "s k yesterday"},
	}, metav1.CreateOptions{})
	require.NoError(t, err)
	require.Equal(t, "pending APIError", r.submit(joiner(honest)))
	require.ErrorContains(t, r.approver.ledger.claim(t.Context(), "other", "s", "k"), "delete that key")
	require.NoError(t, r.approver.ledger.claim(t.Context(), "third", "s", "k"), "the others are none the worse")
}

func TestLedgerThatCannotBeWritten(t *testing.T) {
	r := newRig(t)
	r.client.PrependReactor("*", "configmaps", func(clienttesting.Action) (bool, runtime.Object, error) { return true, nil, errors.New("no quota") })
	require.Equal(t, "pending APIError", r.submit(joiner(honest)))
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r.approver.ledger.turn <- struct{}{}
	require.ErrorIs(t, r.approver.ledger.claim(ctx, "n", "s", "k"), context.Canceled)
}
