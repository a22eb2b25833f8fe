package world

import (
	"context"
	"errors"
	"sync"

	v1 "k8s.io/api/core/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/types"
	"k8s.io/client-go/informers"
	"k8s.io/client-go/tools/cache"
)

// Availability remembers the least number of pods of a workload that were ready at the same time. It sees every change, however short.
type Availability struct {
	stop context.CancelFunc

	mu    sync.Mutex
	ready map[types.UID]bool
	least int
}

// WatchAvailability begins to watch. Stop ends it.
func (w *World) WatchAvailability(ctx context.Context, workload string) (*Availability, error) {
	background, stop := context.WithCancel(context.WithoutCancel(ctx))
	a := &Availability{stop: stop, ready: map[types.UID]bool{}}
	factory := informers.NewSharedInformerFactoryWithOptions(w.base.Cluster.Client, 0, informers.WithNamespace(w.Name),
		informers.WithTweakListOptions(func(options *metav1.ListOptions) { options.LabelSelector = appLabel + "=" + workload }))
	registration, err := factory.Core().V1().Pods().Informer().AddEventHandler(cache.ResourceEventHandlerFuncs{
		AddFunc:    a.see,
		UpdateFunc: func(_, now any) { a.see(now) },
		DeleteFunc: a.forget,
	})
	if err != nil {
		stop()
		return nil, err
	}
	factory.Start(background.Done())
	if !cache.WaitForCacheSync(ctx.Done(), registration.HasSynced) {
		stop()
		return nil, errors.Join(errors.New("watch pods of "+workload), ctx.Err())
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.least = len(a.ready)
	return a, nil
}

func (a *Availability) see(object any) {
	pod, ok := object.(*v1.Pod)
	if !ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.ready, pod.UID)
	for _, condition := range pod.Status.Conditions {
		if condition.Type == v1.PodReady && condition.Status == v1.ConditionTrue && pod.DeletionTimestamp == nil {
			a.ready[pod.UID] = true
		}
	}
	a.least = min(a.least, len(a.ready))
}

func (a *Availability) forget(object any) {
	// What was deleted while the watch was interrupted is wrapped.
	if unknown, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = unknown.Obj
	}
	if pod, ok := object.(*v1.Pod); ok {
		a.mu.Lock()
		defer a.mu.Unlock()
		delete(a.ready, pod.UID)
		a.least = min(a.least, len(a.ready))
	}
}

// Stop ends the watch and returns the least number of ready pods that was seen since its beginning.
func (a *Availability) Stop() int {
	a.stop()
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.least
}
