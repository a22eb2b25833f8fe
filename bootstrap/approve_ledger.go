package bootstrap

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"sync"
	"time"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"k8s.io/utils/clock"
)

// JoinsConfigMap is the ConfigMap in which it is written for which key each node's machine was let in: NODE: SERVER KEY TIME.
// Approved requests say the same, but only for an hour, and two leaders could approve two of them at the same moment; here
// the API server refuses the second one. It holds no secret. The name must not be changed.
const JoinsConfigMap = "cluster-autoscaler-openstack-joins"

const (
	// joinsKept is how long an entry is needed at most: as long as its machine may still be let in.
	joinsKept = 24 * time.Hour
	// joinsMost keeps the ConfigMap well below its limit of 1 MiB.
	joinsMost = 4000
	// joinTries is how often a conflict with another writer is tried again.
	joinTries = 5
)

// errSecondKey: another key is written down for the same machine.
var errSecondKey = errors.New("another key was approved for this machine")

// join is one entry of the ledger, or the wish to make it.
type join struct {
	node, server, key string
	done              chan error
}

// ledger writes down who was let in. Wishes that come while one update is under way share the next.
type ledger struct {
	client    kubernetes.Interface
	namespace string
	clock     clock.PassiveClock

	mu     sync.Mutex
	wishes []*join
	// turn holds a token while an update is under way; object belongs to whoever has put it there.
	turn   chan struct{}
	object *v1.ConfigMap
}

func newLedger(client kubernetes.Interface, namespace string, c clock.PassiveClock) *ledger {
	return &ledger{client: client, namespace: namespace, clock: c, turn: make(chan struct{}, 1)}
}

// claim writes down that this key is the node's on this server. It returns errSecondKey if another key is; then nothing must
// be approved, nor after any other error. Claiming the same again is no error.
func (l *ledger) claim(ctx context.Context, node, server, key string) error {
	wish := &join{node, server, key, make(chan error, 1)}
	l.mu.Lock()
	l.wishes = append(l.wishes, wish)
	l.mu.Unlock()
	select {
	case err := <-wish.done:
		return err
	case <-ctx.Done():
		return ctx.Err() // it may be written all the same, which only binds the machine to this key
	case l.turn <- struct{}{}:
		l.mu.Lock()
		wishes := l.wishes
		l.wishes = nil
		l.mu.Unlock()
		l.write(ctx, wishes)
		<-l.turn
	}
	return <-wish.done
}

// write grants wishes together.
func (l *ledger) write(ctx context.Context, wishes []*join) {
	for try := 1; ; try++ {
		refused, err := l.writeOnce(ctx, wishes)
		if try < joinTries && (apierrors.IsConflict(err) || apierrors.IsAlreadyExists(err) || apierrors.IsNotFound(err)) {
			l.object = nil // another replica was faster: read what it has written
			continue
		}
		if err != nil {
			l.object = nil
			err = fmt.Errorf("ConfigMap %s/%s: %w", l.namespace, JoinsConfigMap, err)
		}
		for _, w := range wishes {
			w.done <- cmp.Or(refused[w], err)
		}
		return
	}
}

// writeOnce tries to grant wishes. refused are those that can't be, whatever the error says.
func (l *ledger) writeOnce(ctx context.Context, wishes []*join) (refused map[*join]error, err error) {
	if err := l.read(ctx); err != nil {
		return nil, err
	}
	now := l.clock.Now()
	next := l.object.DeepCopy()
	if next.Data == nil {
		next.Data = map[string]string{}
	}
	refused = map[*join]error{}
	news := false
	for _, w := range wishes {
		server, key, _, err := parseJoin(next.Data[w.node])
		switch {
		case err != nil:
			refused[w] = fmt.Errorf("ConfigMap %s/%s, key %s: %w; delete that key", l.namespace, JoinsConfigMap, w.node, err)
		case server == w.server && key != w.key:
			refused[w] = errSecondKey
		case server != w.server:
			next.Data[w.node] = strings.Join([]string{w.server, w.key, now.UTC().Format(time.RFC3339)}, " ")
			news = true
		}
	}
	if !news {
		return refused, nil
	}
	prune(next.Data, now)
	api := l.client.CoreV1().ConfigMaps(l.namespace)
	if next.ResourceVersion == "" {
		next, err = api.Create(ctx, next, metav1.CreateOptions{})
	} else {
		next, err = api.Update(ctx, next, metav1.UpdateOptions{})
	}
	if err == nil {
		l.object = next
	}
	return refused, err
}

// read reads the ConfigMap unless it is known. A version that is out of date is found out by the update.
func (l *ledger) read(ctx context.Context) error {
	if l.object != nil {
		return nil
	}
	object, err := l.client.CoreV1().ConfigMaps(l.namespace).Get(ctx, JoinsConfigMap, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		object = &v1.ConfigMap{ObjectMeta: metav1.ObjectMeta{
			Name: JoinsConfigMap, Namespace: l.namespace, Labels: map[string]string{ManagedByLabel: ManagedBy},
		}}
	case err != nil:
		return err
	}
	l.object = object
	return nil
}

// parseJoin reads an entry; all is empty if there is none.
func parseJoin(text string) (server, key string, at time.Time, err error) {
	if text == "" {
		return "", "", time.Time{}, nil
	}
	fields := strings.Fields(text)
	if len(fields) != 3 {
		return "", "", time.Time{}, errors.New("not of the form SERVER KEY TIME")
	}
	if at, err = time.Parse(time.RFC3339, fields[2]); err != nil {
		return "", "", time.Time{}, errors.New("its third part is no time")
	}
	return fields[0], fields[1], at, nil
}

// prune forgets old entries.
func prune(entries map[string]string, now time.Time) {
	times := make(map[string]time.Time, len(entries))
	for node, text := range entries {
		_, _, at, err := parseJoin(text)
		if err != nil {
			continue // somebody has to look at it
		}
		if now.Sub(at) > joinsKept {
			delete(entries, node)
			continue
		}
		times[node] = at
	}
	if len(entries) <= joinsMost {
		return
	}
	oldest := slices.SortedFunc(maps.Keys(times), func(a, b string) int { return cmp.Or(times[a].Compare(times[b]), cmp.Compare(a, b)) })
	for _, node := range oldest[:min(len(oldest), len(entries)-joinsMost)] {
		delete(entries, node)
	}
}
