package externalgrpc

import (
	"context"
	"fmt"
	"io"
	"net"
	"sync/atomic"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	"google.golang.org/grpc/status"
	v1 "k8s.io/api/core/v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// begin serves a cloud until stop, as a container that is started and ended.
func begin(t *testing.T, cloud *fake.Stacks) (at string, stop func()) {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	// Orders end on their own time.
	provider, err := cloudprovider.New(context.WithoutCancel(ctx), nodegroups.NewManager(cloud, nil, nodegroups.ManagerOptions{}),
		cloudprovider.Options{Template: templateOf, RefreshInterval: -1})
	require.NoError(t, err)
	server := New(ctx, provider, Options{})
	ended, listening := make(chan error, 1), make(chan string, 1)
	go func() {
		ended <- server.Serve(ctx, Listen{Address: "127.0.0.1:0"}, func(a net.Addr) { listening <- a.String() })
	}()
	select {
	case at = <-listening:
	case err := <-ended:
		require.NoError(t, err, "the server did not begin")
	}
	stopped := false
	stop = func() {
		if !stopped {
			stopped = true
			cancel()
			require.NoError(t, <-ended)
			server.Wait()
		}
	}
	t.Cleanup(stop)
	return at, stop
}

// door is an address that stays: it leads to the server that runs now, and to nobody while there is none. A port that has been given back may
// have gone to another program.
type door struct {
	address string
	leads   atomic.Pointer[string]
}

func newDoor(t *testing.T) *door {
	t.Helper()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	require.NoError(t, err)
	d := &door{address: listener.Addr().String()}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			d.lead(connection)
		}
	}()
	t.Cleanup(func() {
		_ = listener.Close()
		<-ended
	})
	return d
}

func (d *door) lead(from net.Conn) {
	at := d.leads.Load()
	if at == nil {
		_ = from.Close()
		return
	}
	to, err := (&net.Dialer{}).DialContext(context.Background(), "tcp", *at)
	if err != nil {
		_ = from.Close()
		return
	}
	for _, way := range [][2]net.Conn{{from, to}, {to, from}} {
		go func() {
			_, _ = io.Copy(way[1], way[0])
			_, _ = from.Close(), to.Close()
		}()
	}
}

// In a pod, nobody says which container is first, and each may be started anew while the other one runs.
func TestTheStockClientMayStartBeforeTheServerAndSurvivesIt(t *testing.T) {
	cloud, to := fake.NewStacks(fake.Stack("a", 2)), newDoor(t)
	client := stock(t, fmt.Sprintf("address: %s\n", to.address)) // and nobody is there
	require.Error(t, client.Refresh(), "core decides nothing")
	require.Empty(t, client.NodeGroups())

	for range 2 {
		at, stop := begin(t, cloud)
		to.leads.Store(&at)
		eventually(t, "the client finds the server", func() bool { return client.Refresh() == nil })
		require.Len(t, client.NodeGroups(), 1)
		group := client.NodeGroups()[0]
		size, err := group.TargetSize()
		require.NoError(t, err)
		require.Equal(t, 2, size)
		to.leads.Store(nil)
		stop()
		require.Error(t, client.Refresh())
		_, err = group.TargetSize()
		require.Error(t, err, "and no size")
	}
}

// A client's other goroutines list the groups while its first Refresh waits for a server that has just been started anew, and the client
// keeps what it was told.
func TestBeforeTheFirstReadingThereIsNoEmptyList(t *testing.T) {
	release, reads := make(chan struct{}), make(chan struct{})
	cloud := fake.NewStacks(fake.Stack("a", 2))
	cloud.Before = func(ctx context.Context, call fake.Call) error {
		if call.Method == "Refresh" {
			close(reads)
			return hold(ctx, release)
		}
		return nil
	}
	at, _ := begin(t, cloud)
	client := stock(t, fmt.Sprintf("address: %s\n", at))
	refreshed := make(chan error, 1)
	go func() { refreshed <- client.Refresh() }()
	<-reads
	require.Empty(t, client.NodeGroups())
	close(release)
	require.NoError(t, <-refreshed)
	require.Len(t, client.NodeGroups(), 1, "core would forget what it knows of the groups")
}

// Once the cloud has been read, no groups are no groups.
func TestNoGroupsAreAnEmptyList(t *testing.T) {
	at, _ := begin(t, fake.NewStacks())
	connection := connect(t, at)
	client := protos.NewCloudProviderClient(connection)
	_, err := client.NodeGroups(t.Context(), &protos.NodeGroupsRequest{})
	require.Equal(t, codes.Unavailable, status.Code(err))
	_, err = client.Refresh(t.Context(), &protos.RefreshRequest{})
	require.NoError(t, err)
	answer, err := client.NodeGroups(t.Context(), &protos.NodeGroupsRequest{})
	require.NoError(t, err)
	require.Empty(t, answer.GetNodeGroups())
}

// What has been asked before the end is answered, and nothing is begun after it.
func TestTheServerEndsAfterItsAnswers(t *testing.T) {
	release, grows := make(chan struct{}), make(chan struct{})
	cloud := fake.NewStacks(fake.Stack("a", 2))
	cloud.Before = func(ctx context.Context, call fake.Call) error {
		if call.Method == "Grow" {
			close(grows)
			return hold(ctx, release)
		}
		return nil
	}
	at, stop := begin(t, cloud)
	client := protos.NewCloudProviderClient(connect(t, at))
	_, err := client.Refresh(t.Context(), &protos.RefreshRequest{})
	require.NoError(t, err)
	health := healthv1.NewHealthClient(connect(t, at))
	watching, unwatch := context.WithCancel(t.Context())
	defer unwatch()
	watch, err := health.Watch(watching, &healthv1.HealthCheckRequest{})
	require.NoError(t, err)
	is, err := watch.Recv()
	require.NoError(t, err)
	require.Equal(t, healthv1.HealthCheckResponse_SERVING, is.GetStatus())

	answered := make(chan error, 1)
	go func() {
		_, err := client.NodeGroupIncreaseSize(t.Context(), &protos.NodeGroupIncreaseSizeRequest{Id: "a", Delta: 1})
		answered <- err
	}()
	<-grows
	over := make(chan struct{})
	go func() { defer close(over); stop() }()
	is, err = watch.Recv()
	require.NoError(t, err)
	require.Equal(t, healthv1.HealthCheckResponse_NOT_SERVING, is.GetStatus())
	unwatch()
	close(release)
	require.NoError(t, <-answered)
	<-over
}

// Questions about nodes are answered from memory, whatever the cloud is at: core asks for each foreign node several times in a loop.
func TestForeignNodesAreAnsweredWhileTheCloudHangs(t *testing.T) {
	release := make(chan struct{})
	defer close(release)
	r := newRig(t, func(o *Options, _ *cloudprovider.Options) { o.AnswerWithin = 20 * time.Millisecond }, fake.Stack("a", 1))
	r.interfere(func(ctx context.Context, _ fake.Call) error { return hold(ctx, release) })
	atRest := len(r.cloud.Calls())
	require.Error(t, r.client.Refresh())
	eventually(t, "the reading begins", func() bool { return len(r.cloud.Calls()) > atRest })
	before := len(r.cloud.Calls())
	for i := range 100 {
		g, err := r.client.NodeGroupForNode(&v1.Node{Spec: v1.NodeSpec{ProviderID: fmt.Sprintf("openstack:///%s", fake.ServerID("foreign", i))}})
		require.NoError(t, err)
		require.True(t, g == nil)
	}
	require.Len(t, r.cloud.Calls(), before, "nobody asks the cloud about them")
}

// A client that has set no deadline does not wait for ever.
func TestCallsWithoutADeadlineGetOne(t *testing.T) {
	release := make(chan struct{})
	cloud := fake.NewStacks(fake.Stack("a", 1))
	cloud.Before = func(ctx context.Context, _ fake.Call) error { return hold(ctx, release) }
	ctx, cancel := context.WithCancel(context.Background())
	provider, err := cloudprovider.New(ctx, nodegroups.NewManager(cloud, nil, nodegroups.ManagerOptions{}), cloudprovider.Options{})
	require.NoError(t, err)
	server := New(ctx, provider, Options{AnswerWithin: time.Hour})
	ended, listening := make(chan error, 1), make(chan string, 1)
	go func() {
		ended <- server.Serve(ctx, Listen{Address: "127.0.0.1:0", Deadline: 100 * time.Millisecond}, func(a net.Addr) { listening <- a.String() })
	}()
	client := protos.NewCloudProviderClient(connect(t, <-listening))
	_, err = client.Refresh(t.Context(), &protos.RefreshRequest{})
	require.Equal(t, codes.Unavailable, status.Code(err))
	patient, stop := context.WithTimeout(t.Context(), time.Hour)
	defer stop()
	_, err = client.Refresh(patient, &protos.RefreshRequest{})
	require.Equal(t, codes.Unavailable, status.Code(err), "nor one that has set a long one")
	close(release)
	cancel()
	require.NoError(t, <-ended)
	server.Wait()
}

// connect is a connection in plaintext until the test ends.
func connect(t *testing.T, address string) *grpc.ClientConn {
	t.Helper()
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	t.Cleanup(func() { _ = connection.Close() })
	return connection
}
