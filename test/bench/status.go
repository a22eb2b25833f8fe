package main

import (
	"context"
	"fmt"
	"net/http"
	"net/http/httptest"
	"runtime"
	"time"

	v1 "k8s.io/api/core/v1"
	corelisters "k8s.io/client-go/listers/core/v1"
	"k8s.io/client-go/tools/cache"
	testclock "k8s.io/utils/clock/testing"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status/collect"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/status/web"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// benchStatus measures what the status of 5,000 nodes in 50 groups costs: to answer, and to keep, when everything that is remembered is
// full.
func benchStatus(ctx context.Context, print func(string, float64, string)) error {
	const groups, each = 50, 100
	r, err := newRig(ctx, cloudSpec{Groups: groups, MembersEach: each, Speed: 1})
	if err != nil {
		return err
	}
	defer r.close()
	if err := r.expectGroups(groups, each); err != nil {
		return err
	}
	nodes := cache.NewIndexer(cache.MetaNamespaceKeyFunc, nil)
	for _, servers := range r.info.Servers {
		for _, id := range servers {
			if err := nodes.Add(node(id)); err != nil {
				return err
			}
		}
	}
	before := heap()
	clock := testclock.NewFakeClock(time.Now())
	book := collect.NewBook(collect.Program{Name: "bench", Mode: status.ModeEmbedded}, clock)
	book.WatchNodes(corelisters.NewNodeLister(nodes))
	book.Connect(collect.Sources{
		Snapshot: r.manager.Snapshot, Reading: r.manager.Reading, Region: func() string { return "" }, Project: func() string { return "" },
		Template: func(g *nodegroups.Group) (*v1.Node, error) {
			return nodegroups.TemplateNode(g, nodegroups.TemplateOptions{})
		},
	})
	began := processorTime()
	for range status.MaxHistory {
		clock.Step(time.Minute)
		book.Refreshed(0, nil)
	}
	print("status_sample_ms_n5000_g50", (processorTime()-began).Seconds()*1000/status.MaxHistory, "ms")
	for i := range status.MaxDecisions {
		book.TokenMinted(fmt.Sprint("group-", i))
	}
	print("status_heap_mb_n5000_g50", float64(heap()-before)/1e6, "MB")
	handler := web.New(book.Status, clock)
	for _, page := range []struct{ name, path string }{{"status_json", "/status.json"}, {"status_page", "/"}} {
		took, size, err := answer(ctx, handler, clock, page.path)
		if err != nil {
			return err
		}
		print(page.name+"_ms_n5000_g50", took, "ms")
		print(page.name+"_mb_n5000_g50", size, "MB")
	}
	runtime.KeepAlive(book)
	return nil
}

// answer is the mean processor time in milliseconds of an answer that is made afresh, and its size in megabytes.
func answer(ctx context.Context, handler http.Handler, clock *testclock.FakeClock, path string) (took, size float64, err error) {
	const times = 20
	began := processorTime()
	for range times {
		clock.Step(time.Minute)
		w := httptest.NewRecorder()
		handler.ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, path, nil))
		if w.Code != http.StatusOK {
			return 0, 0, fmt.Errorf("%s is answered %d: %s", path, w.Code, w.Body)
		}
		size = float64(w.Body.Len()) / 1e6
	}
	return (processorTime() - began).Seconds() * 1000 / times, size, nil
}
