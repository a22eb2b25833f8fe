package heatstack_test

import (
	"slices"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

// Heat carries out a second time whatever overtakes our growth, with what it knew before.
func TestSimulatedRemovalAmidAGrowthCarriedOutTwice(t *testing.T) {
	for kind, member := range map[string]string{"servers": mintedServer, "stacks": mintedNested} {
		t.Run(kind, func(t *testing.T) {
			s := newMintedScene(t, member, slices.Repeat([]string{"tokena.aaaaaaaaaaaaaaaa"}, 20)...)
			require.NoError(t, s.cloud.Grow(t.Context(), s.stack, 2))
			s.settle()
			list, _ := s.cloud.List()
			victims := list[0].Members[:1]

			s.sim.CarryOutTwice(s.stack, 9)
			require.NoError(t, s.cloud.Grow(t.Context(), s.stack, 1))
			require.NoError(t, s.cloud.Remove(t.Context(), s.stack, victims))
			s.settle()
			require.NoError(t, s.cloud.Grow(t.Context(), s.stack, 1)) // would take a member away that has got a removed one's index
			s.settle()
			var dead []string
			for _, d := range s.sim.Deaths() {
				dead = append(dead, d.ServerID)
			}
			assert.Equal(t, []string{victims[0].ServerID}, dead)
			assert.Len(t, s.sim.Servers(), 3)
		})
	}
}
