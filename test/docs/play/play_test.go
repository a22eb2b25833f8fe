package play

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestSplit(t *testing.T) {
	got, err := Split(t.Context(), `one --flag=1   two # a comment

kubectl get pods -o jsonpath='{.items[0]}' |
  grep x
for zone in a b; do
  echo $zone
done
cat >f <<'END'
a: b
END
openstack stack create x \
  --parameter 'a={"b": "c"}'`)
	require.NoError(t, err)
	assert.Equal(t, []string{
		"one --flag=1 two", "kubectl get pods -o jsonpath='{.items[0]}' |\n grep x", "for zone in a b; do\n echo $zone\ndone",
		"cat >f <<'END'\na: b\nEND", `openstack stack create x --parameter 'a={"b": "c"}'`,
	}, got)
	_, err = Split(t.Context(), "for a in b; do")
	assert.ErrorContains(t, err, "does not end")
}

func TestCommandsOf(t *testing.T) {
	got, err := commandsOf(t.Context(), "a.md", "See `kubectl get csr` or `node`.\n- x\n  ```sh\n  ls  -l\n  ```\n```yaml\na: b\n```\n")
	require.NoError(t, err)
	assert.Equal(t, []Command{{Text: "kubectl get csr", Page: "a.md", Inline: true}, {Text: "ls -l", Page: "a.md"}}, got)
}

func TestParse(t *testing.T) {
	got, err := parse("a", "# comment\nneeds openstack\n$ one  two\n$! three\n+ a\n\tb\n? 3s four\nlet NAME = five\n")
	require.NoError(t, err)
	assert.Equal(t, Play{Name: "a", NeedsOpenStack: true, Steps: []Step{
		{Kind: Documented, Text: "one two", Line: 3}, {Kind: Refused, Text: "three", Line: 4}, {Kind: Setup, Text: "a\nb", Line: 5},
		{Kind: Until, Text: "four", Patience: 3 * time.Second, Line: 7}, {Kind: Let, Name: "NAME", Text: "five", Line: 8},
	}}, got)
	for _, bad := range []string{"what", "$", "? soon x", "let name = x", "let NAME"} {
		_, err := parse("a", bad)
		assert.Error(t, err, bad)
	}
}

func TestPlayer(t *testing.T) {
	var said []string
	p := &Player{Dir: t.TempDir(), Say: func(string, ...any) { said = append(said, "") }}
	play := func(text string) error {
		parsed, err := parse("x", text)
		require.NoError(t, err)
		return p.Run(t.Context(), parsed)
	}
	require.NoError(t, play("let STACK = echo workers\n$ test STACK = workers\n$! false\n+ touch there\n? 5s test -e there\n$ echo y; sleep 60 | tail -f"))
	assert.Len(t, said, 6)
	assert.ErrorContains(t, play("$ echo oh dear; false"), "oh dear")
	assert.ErrorContains(t, play("$ false | true"), "exit status 1")
	assert.ErrorContains(t, play("$! true"), "refused")
	assert.ErrorContains(t, play("? 1ms false"), "in vain")
	assert.ErrorContains(t, play("let STACK = true"), "said nothing")
}
