//go:build pods

package pods_test

import (
	"context"
	"io"
	"net"
	"net/url"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/process"
)

// serviceAddress is the Service "kubernetes", which pods are told to use.
const serviceAddress = "10.96.0.1"

// serveService leads the Service "kubernetes" to the API server, as kube-proxy would do on each node. Packets come here because this
// network namespace is the nodes' router.
func serveService(ctx context.Context, endpoint string) (stop func(), err error) {
	target, err := url.Parse(endpoint)
	if err != nil {
		return nil, err
	}
	if _, err := process.Run(ctx, process.Options{}, "ip", "address", "add", serviceAddress+"/32", "dev", "lo"); err != nil {
		return nil, err
	}
	var config net.ListenConfig
	listener, err := config.Listen(ctx, "tcp", net.JoinHostPort(serviceAddress, "443"))
	if err != nil {
		return nil, err
	}
	go func() {
		for {
			client, err := listener.Accept()
			if err != nil {
				return // it was closed
			}
			go join(client, target.Host)
		}
	}()
	return func() { _ = listener.Close() }, nil
}

// join connects a client with a server until both have said all.
func join(client net.Conn, address string) {
	defer client.Close()
	server, err := net.Dial("tcp", address)
	if err != nil {
		return
	}
	defer server.Close()
	go func() {
		_, _ = io.Copy(server, client)
		_ = server.Close()
	}()
	_, _ = io.Copy(client, server)
}
