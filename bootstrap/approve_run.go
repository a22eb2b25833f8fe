package bootstrap

import (
	"context"
	"sync"
	"time"

	certificates "k8s.io/api/certificates/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/runtime"
	"k8s.io/apimachinery/pkg/watch"
	"k8s.io/client-go/tools/cache"
	"k8s.io/klog/v2"
)

// newWatch returns the cache of requests and what fills it.
func (a *Approver) newWatch() (cache.Indexer, cache.Controller) {
	api := a.client.CertificatesV1().CertificateSigningRequests()
	store, controller := cache.NewInformerWithOptions(cache.InformerOptions{
		ListerWatcher: &cache.ListWatch{
			ListWithContextFunc: func(ctx context.Context, o metav1.ListOptions) (runtime.Object, error) { return api.List(ctx, o) },
			WatchFuncWithContext: func(ctx context.Context, o metav1.ListOptions) (watch.Interface, error) {
				return api.Watch(ctx, o)
			},
		},
		ObjectType: &certificates.CertificateSigningRequest{},
		Indexers:   cache.Indexers{byNode: nodeOf},
		Transform:  slim,
		// What was left pending is looked at again once in a while: somebody may have mended what was wrong.
		ResyncPeriod: lookAgain,
		Handler: cache.ResourceEventHandlerFuncs{
			AddFunc:    a.arrived,
			UpdateFunc: a.changed,
			DeleteFunc: a.gone,
		},
	})
	indexer, _ := store.(cache.Indexer) // it is one whenever there are Indexers
	return indexer, controller
}

// slim leaves out of a request what would only cost memory. Requests that are sent back are none the worse: the API server
// takes the conditions alone.
func slim(object any) (any, error) {
	if csr, ok := object.(*certificates.CertificateSigningRequest); ok {
		csr.ManagedFields = nil
	}
	return object, nil
}

// arrived takes in a request.
func (a *Approver) arrived(object any) {
	csr, ok := object.(*certificates.CertificateSigningRequest)
	if !ok || !pending(csr) {
		return
	}
	if k, _ := classify(&csr.Spec); !a.wanted(k) {
		return
	}
	a.mu.Lock()
	a.history(csr)
	a.mu.Unlock()
	a.enqueue(csr)
}

// changed takes in a request that has changed, or that has not and is looked at again. Strangers are not: a flood is not worth
// a second look.
func (a *Approver) changed(before, after any) {
	was, ok1 := before.(*certificates.CertificateSigningRequest)
	is, ok2 := after.(*certificates.CertificateSigningRequest)
	if ok1 && ok2 && was.ResourceVersion == is.ResourceVersion && is.ResourceVersion != "" && a.laneOf(parseRequest(is)) == strangerLane {
		return
	}
	a.arrived(after)
}

func (a *Approver) gone(object any) {
	if last, ok := object.(cache.DeletedFinalStateUnknown); ok {
		object = last.Obj
	}
	csr, ok := object.(*certificates.CertificateSigningRequest)
	if !ok {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.histories, string(csr.UID))
}

// Run decides requests until ctx ends, and returns when nothing is under way any more. It is called once.
func (a *Approver) Run(ctx context.Context) {
	logger := klog.FromContext(ctx)
	defer a.closeLanes()
	if !a.waitForPermission(ctx) {
		return
	}
	logger.Info("Deciding requests for nodes' certificates", "joining", a.opts.Joining, "serving", a.opts.Serving)
	var parts sync.WaitGroup
	parts.Go(func() { a.controller.RunWithContext(ctx) })
	parts.Go(func() { a.everySoOften(ctx, setupInterval, a.lookAtSetup) })
	// Until all requests are known, an approval that was given before may be overlooked.
	if cache.WaitForCacheSync(ctx.Done(), a.controller.HasSynced) {
		parts.Go(func() { a.everySoOften(ctx, sweepInterval, func(context.Context) { a.sweep() }) })
		parts.Go(func() { a.work(ctx) })
	}
	parts.Wait()
}

// everySoOften does something at once and then again and again until ctx ends.
func (a *Approver) everySoOften(ctx context.Context, interval time.Duration, do func(context.Context)) {
	ticker := a.clock.NewTicker(interval)
	defer ticker.Stop()
	for {
		do(ctx)
		select {
		case <-ctx.Done():
			return
		case <-ticker.C():
		}
	}
}

// waitForPermission returns when requests may be listed, false if ctx ended before. A cluster whose rules are those of an earlier
// version is told so, once in a while, instead of with every try of a watch.
func (a *Approver) waitForPermission(ctx context.Context) bool {
	allowed, cancel := context.WithCancel(ctx)
	defer cancel()
	a.everySoOften(allowed, setupInterval, func(ctx context.Context) {
		_, err := a.client.CertificatesV1().CertificateSigningRequests().List(ctx, metav1.ListOptions{Limit: 1})
		switch {
		case apierrors.IsForbidden(err):
			a.reportForbidden(err)
		default:
			cancel() // whatever else is wrong, the watch deals with it
		}
	})
	return ctx.Err() == nil
}
