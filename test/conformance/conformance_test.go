package conformance

import (
	"flag"
	"os"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/lab"
)

var (
	targetFlag   = flag.String("target", env("CONFORMANCE_TARGET", "simulator"), "the cloud to try: simulator, or lab")
	labFlag      = flag.String("lab", env("LAB_DIR", os.TempDir()+"/cluster-autoscaler-openstack-lab"), "the lab's state folder (LAB_DIR of test/lab)")
	atOnceFlag   = flag.Int("at-once", 8, "how many cases run at the same time")
	verdictsFlag = flag.String("verdicts", "", "file to write the verdicts to")
	compareFlag  = flag.String("compare", "", "file of verdicts of another target that must be the same")
)

func env(name, otherwise string) string {
	if value := os.Getenv(name); value != "" {
		return value
	}
	return otherwise
}

// TestConformance runs the cases: go test ./test/conformance -v -target=lab.
func TestConformance(t *testing.T) {
	var open func(t *testing.T) Target
	switch *targetFlag {
	case "lab":
		real, err := lab.Open(*labFlag)
		require.NoError(t, err)
		open = func(*testing.T) Target { return real }
	case "simulator":
		open = func(t *testing.T) Target { return OpenSimulated(t) }
	default:
		t.Fatalf("-target=%s: there is simulator, and lab", *targetFlag)
	}
	verdicts := &Verdicts{Target: *targetFlag, Out: os.Stdout}
	Run(t, open, *atOnceFlag, verdicts)
	if *verdictsFlag != "" {
		require.NoError(t, verdicts.WriteFile(*verdictsFlag))
	}
	if *compareFlag != "" {
		other, err := ReadVerdicts(*compareFlag)
		require.NoError(t, err)
		require.Empty(t, Differences(verdicts.byCase, other), "verdicts of %s and of %s", *targetFlag, *compareFlag)
	}
}
