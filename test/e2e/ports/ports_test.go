package ports

import (
	"net"
	"testing"

	"github.com/stretchr/testify/require"
)

// What was handed out is handed out to nobody else, although nobody listens there yet, and the kernel does not choose it.
func TestFreePortsStayFree(t *testing.T) {
	kernels, err := kernelsFirst()
	require.NoError(t, err)
	seen := map[int]bool{}
	for range 200 {
		port, err := Free(t.Context())
		require.NoError(t, err)
		require.False(t, seen[port], port)
		require.Less(t, port, kernels)
		seen[port] = true
		taken, err := claim(t.Context(), port)
		require.NoError(t, err)
		require.True(t, taken, "%d has been handed out", port)
	}
}

// A port on which somebody listens is not free, and a claim to it does not stay.
func TestTakenPortIsNotFree(t *testing.T) {
	port, err := Free(t.Context())
	require.NoError(t, err)
	held.mu.Lock()
	require.NoError(t, held.claims[len(held.claims)-1].Close())
	held.mu.Unlock()
	listener, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", address(port))
	require.NoError(t, err)
	taken, err := claim(t.Context(), port)
	require.NoError(t, err)
	require.True(t, taken, "somebody listens")
	require.NoError(t, listener.Close())
	taken, err = claim(t.Context(), port)
	require.NoError(t, err)
	require.False(t, taken, "nobody listens any more")
}
