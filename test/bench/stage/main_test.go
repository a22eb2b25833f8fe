package stage

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// The program bench reads these lines.
func TestNumber(t *testing.T) {
	require.Equal(t, "bench floor_reaction_s 12.35 s", Number{"floor_reaction_s", 12.3456, 2, "s"}.String())
	require.Equal(t, "bench csr_approval_ms 7.0 ms", Number{"csr_approval_ms", 7, 1, "ms"}.String())
}
