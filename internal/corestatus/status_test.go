package corestatus

import (
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// wanted is what both forms say; the text does not tell why a group is backed off, and is exact to the fraction of a second.
func wanted(code, message string) *Status {
	at := func(h, m, s, ns int) *time.Time {
		t := time.Date(2026, 11, 26, h, m, s, ns, time.UTC)
		return &t
	}
	probed := at(3, 0, 9, 9e8)
	condition := func(word string, since *time.Time) Condition { return Condition{word, since, probed} }
	old, up := at(2, 0, 0, 0), at(2, 59, 0, 0)
	return &Status{
		At:     *at(3, 0, 10, 123456789),
		Health: condition("Healthy", old), ScaleUp: condition("InProgress", up), ScaleDown: condition("NoCandidates", old),
		Ready: 4, Registered: 5,
		Groups: []Group{
			{
				Name: "workers", Health: condition("Healthy", old), ScaleUp: condition("InProgress", up), ScaleDown: condition("NoCandidates", old),
				Ready: 3, Target: 4, MinSize: 2, MaxSize: 10,
			},
			{
				Name: "gpu", Health: condition("Unhealthy", nil), ScaleUp: condition("Backoff", at(2, 58, 0, 0)), ScaleDown: condition("CandidatesPresent", old),
				Ready: 1, Target: 2, MinSize: 0, MaxSize: 2, BackoffCode: code, BackoffMessage: message,
			},
		},
	}
}

// normal makes times comparable: of one place, and to the second, which is all that the YAML form keeps of some.
func normal(s *Status) *Status {
	in := func(t *time.Time) *time.Time {
		if t == nil {
			return nil
		}
		u := t.UTC().Truncate(time.Second)
		return &u
	}
	each := func(c *Condition) { c.Since, c.Probed = in(c.Since), in(c.Probed) }
	s.At = s.At.UTC()
	each(&s.Health)
	each(&s.ScaleUp)
	each(&s.ScaleDown)
	for i := range s.Groups {
		g := &s.Groups[i]
		each(&g.Health)
		each(&g.ScaleUp)
		each(&g.ScaleDown)
	}
	return s
}

func TestBothFormsSayTheSame(t *testing.T) {
	for file, want := range map[string]*Status{"1.25.txt": wanted("", ""), "1.33.yaml": wanted("QuotaExceeded", "Quota exceeded for ram")} {
		text, err := os.ReadFile("testdata/" + file)
		require.NoError(t, err)
		got, err := Parse(string(text))
		require.NoError(t, err, file)
		require.Equal(t, normal(want), normal(got), file)
		require.Equal(t, 2, got.Group("workers").MinSize)
		require.Nil(t, got.Group("other"))
	}
}

func TestStarting(t *testing.T) {
	for _, text := range []string{
		"Cluster-autoscaler status at 2026-11-26 03:00:10.1 +0000 UTC:\nInitializing", "time: 2026-11-26 03:00:10.1 +0000 UTC\nautoscalerStatus: Initializing\n",
	} {
		got, err := Parse(text)
		require.NoError(t, err)
		require.True(t, got.Initializing)
		require.Empty(t, got.Groups)
	}
}

func TestUnknownForms(t *testing.T) {
	for _, text := range []string{"", "Initializing", "{", "time: yesterday", "Cluster-autoscaler status at noon:\n", "a: 1"} {
		_, err := Parse(text)
		require.ErrorIs(t, err, ErrForm, "%q", text)
	}
}
