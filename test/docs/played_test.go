package docs

import (
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/docs/play"
)

// excuse is a line of testdata/notplayed.txt: a command, or the beginning of some ("helm *"), and why no play runs it.
type excuse struct {
	text, reason string
	used         bool
}

// readExcuses reads testdata/notplayed.txt. A line "# because: REASON" holds for the lines after it.
func readExcuses(t *testing.T) []*excuse {
	t.Helper()
	var excuses []*excuse
	reason := ""
	for _, line := range strings.Split(strings.ReplaceAll(readFile(t, "test/docs/testdata/notplayed.txt"), "\n\t", " "), "\n") {
		if because, ok := strings.CutPrefix(line, "# because: "); ok {
			reason = because
			continue
		}
		if strings.HasPrefix(line, "# ") || strings.TrimSpace(line) == "" {
			continue
		}
		require.NotEmpty(t, reason, "%q is excused without a reason", line)
		excuses = append(excuses, &excuse{text: squeeze(line), reason: reason})
	}
	return excuses
}

func squeeze(text string) string { return strings.Join(strings.Fields(text), " ") }

func (e *excuse) covers(command string) bool {
	beginning, isPattern := strings.CutSuffix(e.text, " *")
	return e.text == command || isPattern && (command == beginning || strings.HasPrefix(command, beginning+" "))
}

// Every command of the documentation is run by a play, or there is a reason why not. In a sentence, the beginning of such a command
// is a name for it.
func TestEveryCommandIsPlayed(t *testing.T) {
	commands, err := play.Commands(t.Context(), root)
	require.NoError(t, err)
	plays, err := play.Read("plays")
	require.NoError(t, err)
	excuses := readExcuses(t)

	played := map[string]bool{} // false until the documentation has it
	for _, p := range plays {
		for _, step := range p.Steps {
			if step.Kind == play.Documented || step.Kind == play.Refused {
				played[squeeze(step.Text)] = false
			}
		}
	}
	begun := slices.Collect(maps.Keys(played))
	ran, excused := map[string]bool{}, map[string]bool{}
	for _, c := range commands {
		text := squeeze(c.Text)
		if _, ok := played[text]; ok {
			played[text], ran[text] = true, true
			continue
		}
		if i := slices.IndexFunc(excuses, func(e *excuse) bool { return e.covers(text) }); i >= 0 {
			excuses[i].used, excused[text] = true, true
			continue
		}
		if c.Inline && slices.ContainsFunc(begun, func(b string) bool { return strings.HasPrefix(b, text+" ") }) {
			continue
		}
		if c.Inline && slices.ContainsFunc(excuses, func(e *excuse) bool { return strings.HasPrefix(e.text, text+" ") }) {
			continue
		}
		t.Errorf("%s: no test runs %q: put it into a file of test/docs/plays, or into testdata/notplayed.txt with the reason why it can't be", c.Page, c.Text)
	}
	for text, inDocs := range played {
		if !inDocs {
			t.Errorf("plays: no page has the command %q any more", text)
		}
	}
	for _, e := range excuses {
		if !e.used {
			t.Errorf("testdata/notplayed.txt: no page has %q", e.text)
		}
	}
	require.Greater(t, len(ran), 50)
	t.Logf("%d different commands: %d are run, %d are not, for a reason", len(ran)+len(excused), len(ran), len(excused))
}

// Whoever sees an Event finds what its reason means.
func TestEveryReasonIsExplained(t *testing.T) {
	const page = "docs/reference/events.md"
	explained := map[string]bool{}
	for _, span := range parsePage(page, readFile(t, page)).spans() {
		explained[span] = true
	}
	checked := 0
	for _, file := range []string{"nodegroups/problem.go", "internal/events/floors.go"} {
		for _, m := range regexp.MustCompile(`(?m)^\tReason\w+ += "(\w+)"`).FindAllStringSubmatch(readFile(t, file), -1) {
			checked++
			if !explained[m[1]] {
				t.Errorf("%s does not say what the reason %s of %s means", page, m[1], file)
			}
		}
	}
	require.Greater(t, checked, 40)
}

// Whoever is alarmed finds a section for the alert.
func TestEveryAlertHasASection(t *testing.T) {
	const page = "docs/how-to/troubleshooting.md"
	sections := parsePage(page, readFile(t, page)).anchors()
	checked := 0
	for word, from := range readWords(t) {
		if from != "alert" {
			continue
		}
		checked++
		if !sections[strings.ToLower(word)] {
			t.Errorf("%s has no section %q", page, word)
		}
	}
	require.Greater(t, checked, 10)
}
