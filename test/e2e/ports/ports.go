// Package ports finds ports for programs that are started with the number of one.
//
// A port that was asked of the kernel and given back may be somebody else's a moment later: the kernel hands it out again, to whoever listens
// anywhere or only connects. So these come from below those that the kernel chooses from, and whoever gets one keeps others from it who ask here,
// in this process or another one.
package ports

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"net"
	"os"
	"strconv"
	"sync"
)

// The ports that are handed out. Well-known services are below them, and above them are those of services of kind NodePort and, by default,
// the kernel's.
const (
	first = 12000
	last  = 24999
	tries = 1000
)

// kernelsRange is a file with the first and the last port that the kernel chooses by itself.
const kernelsRange = "/proc/sys/net/ipv4/ip_local_port_range"

// held keeps what was handed out: a claim ends when its listener is closed, and the runtime closes one that nobody refers to.
var held struct {
	mu     sync.Mutex
	claims []net.Listener
}

// Free returns a port of the loopback interface that nobody listens on. It is the caller's until this process ends. Safe for concurrent use.
func Free(ctx context.Context) (int, error) {
	below, err := kernelsFirst()
	if err != nil {
		return 0, err
	}
	highest := min(last, below-1)
	if highest < first {
		highest = last // where the kernel leaves none of them alone, they are as good as any
	}
	for range tries {
		port := first + rand.IntN(highest-first+1) //nolint:gosec // not a secret
		switch taken, err := claim(ctx, port); {
		case err != nil:
			return 0, err
		case !taken:
			return port, nil
		}
	}
	return 0, errors.New("no port is free")
}

// Address is Free as an address, HOST:PORT.
func Address(ctx context.Context) (string, error) {
	port, err := Free(ctx)
	return address(port), err
}

func address(port int) string { return net.JoinHostPort("127.0.0.1", strconv.Itoa(port)) }

// claim takes a port, unless somebody listens on it or has claimed it. Claims are names of sockets without files: like ports, each network
// namespace has its own, and they end with the process.
func claim(ctx context.Context, port int) (taken bool, err error) {
	var config net.ListenConfig
	claimed, err := config.Listen(ctx, "unix", fmt.Sprintf("@cluster-autoscaler-openstack-test-port-%d", port))
	if err != nil {
		return true, ctx.Err()
	}
	listener, err := config.Listen(ctx, "tcp", address(port))
	if err != nil {
		return true, errors.Join(claimed.Close(), ctx.Err())
	}
	held.mu.Lock()
	defer held.mu.Unlock()
	held.claims = append(held.claims, claimed)
	return false, listener.Close()
}

// kernelsFirst is the lowest port that the kernel chooses by itself.
func kernelsFirst() (int, error) {
	text, err := os.ReadFile(kernelsRange)
	if err != nil {
		return 0, err
	}
	var lowest, highest int
	if _, err := fmt.Sscan(string(text), &lowest, &highest); err != nil {
		return 0, fmt.Errorf("%s: %w", kernelsRange, err)
	}
	return lowest, nil
}
