package docs

import (
	"os/exec"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// readCommands reads testdata/commands.txt: commands of other programs that the documentation uses, with the flags that it gives
// them.
func readCommands(t *testing.T) map[string][]string {
	t.Helper()
	out := map[string][]string{}
	for _, line := range strings.Split(readFile(t, "test/docs/testdata/commands.txt"), "\n") {
		if name, flags, ok := strings.Cut(line, ":"); ok && !strings.HasPrefix(line, "# ") {
			out[name] = strings.Fields(flags)
		}
	}
	require.NotEmpty(t, out)
	return out
}

// program matches what begins a command.
var program = regexp.MustCompile(`^(?:sudo )?(openstack|kubectl|kubeadm|helm|make|bin/cluster-autoscaler-openstack|cluster-autoscaler-openstack) `)

// shellCommands returns the commands of a code block that are worth a look, one a line.
func shellCommands(b block) []string {
	if b.language != "sh" {
		return nil
	}
	text := strings.ReplaceAll(b.text, "\\\n", " ")
	text = regexp.MustCompile(`(?m)(^| )#.*$`).ReplaceAllString(text, "")
	text = regexp.MustCompile(`\$\(|\)"|\)|\||&&|;`).ReplaceAllString(text, "\n")
	var out []string
	for _, line := range strings.Split(text, "\n") {
		if line = strings.TrimSpace(line); program.MatchString(line) {
			out = append(out, strings.TrimPrefix(line, "sudo "))
		}
	}
	return out
}

// commandOf finds which of the commands a line is: the longest name that it begins with.
func commandOf(commands map[string][]string, line string) string {
	plain := strings.Join(slices.DeleteFunc(strings.Fields(line), func(word string) bool {
		return word == "-n" || word == "kube-system" || word == "kube-public"
	}), " ") + " "
	best := ""
	for name := range commands {
		if strings.HasPrefix(plain, name+" ") && len(name) > len(best) {
			best = name
		}
	}
	return best
}

// A command in the documentation is one that somebody has tried, or ours.
func TestCommandsAreKnown(t *testing.T) {
	known, commands := readWords(t), readCommands(t)
	used := map[string]bool{}
	checked := 0
	for _, p := range readPages(t) {
		if p.path != "README.md" && !p.isGuide() {
			continue
		}
		inline := block{page: p.path, language: "sh", text: strings.Join(p.spans(), "\n")}
		for _, b := range append(slices.Clone(p.blocks), inline) {
			for _, line := range shellCommands(b) {
				checked++
				fields := strings.Fields(line)
				name := commandOf(commands, line)
				switch {
				case strings.HasSuffix(fields[0], "cluster-autoscaler-openstack"), strings.HasPrefix(line+" ", "kubectl openstack-nodegroups "):
					for _, flag := range flagsIn(line) {
						if strings.HasPrefix(flag, "--") && known[flag] != "flag" {
							t.Errorf("%s, code block in line %d: there is no flag %s", b.page, b.line, flag)
						}
					}
				case fields[0] == "make":
					if known[fields[1]] == "" {
						t.Errorf("%s, code block in line %d: there is no target %s", b.page, b.line, fields[1])
					}
				case name == "":
					t.Errorf("%s, code block in line %d: try %q and add it to test/docs/testdata/commands.txt", b.page, b.line, line)
				default:
					used[name] = true
					for _, flag := range flagsIn(line) {
						used[name+" "+flag] = true
						if !slices.Contains(commands[name], flag) {
							t.Errorf("%s, code block in line %d: try the flag %s of %q and add it to test/docs/testdata/commands.txt", b.page, b.line, flag, name)
						}
					}
				}
			}
		}
	}
	require.Greater(t, checked, 20)
	for name, flags := range commands {
		if !used[name] {
			t.Errorf("testdata/commands.txt: no page uses %q", name)
		}
		for _, flag := range flags {
			if !used[name+" "+flag] {
				t.Errorf("testdata/commands.txt: no page uses the flag %s of %q", flag, name)
			}
		}
	}
}

// flagsIn returns the names of a command line's flags.
func flagsIn(line string) []string {
	var out []string
	line = regexp.MustCompile(`'[^']*'`).ReplaceAllString(line, "")
	for _, m := range regexp.MustCompile(`(?:^| )(--?[a-zA-Z][a-z0-9-]*)`).FindAllStringSubmatch(line, -1) {
		out = append(out, m[1])
	}
	return out
}

// What a shell can't read, a reader can't paste.
func TestShellBlocksAreShell(t *testing.T) {
	bash, err := exec.LookPath("bash")
	require.NoError(t, err)
	for _, p := range readPages(t) {
		for _, b := range p.blocks {
			if b.language != "sh" {
				continue
			}
			check := exec.CommandContext(t.Context(), bash, "-n") //nolint:gosec // bash
			check.Stdin = strings.NewReader(b.text)
			if out, err := check.CombinedOutput(); err != nil {
				t.Errorf("%s, code block in line %d: %v\n%s", b.page, b.line, err, out)
			}
		}
	}
}

// Stack tags in the documentation are read as those of a real stack are.
func TestStackTagsWork(t *testing.T) {
	tags := regexp.MustCompile(`--tags '?([^'" ]+)'?`)
	checked := 0
	for _, p := range readPages(t) {
		for _, b := range p.blocks {
			for _, m := range tags.FindAllStringSubmatch(b.text, -1) {
				checked++
				_, problems := nodegroups.ParseConfig("workers", strings.Split(m[1], ","), "")
				for _, problem := range problems {
					t.Errorf("%s, code block in line %d: %s", b.page, b.line, problem.Error())
				}
				for _, tag := range strings.Split(m[1], ",") {
					key, _, _ := strings.Cut(tag, "=")
					if _, ok := nodegroups.CanonicalKey(key); !ok && key != "cluster-autoscaler-enabled" && key != "cluster" {
						t.Errorf("%s, code block in line %d: %q is no annotation", b.page, b.line, key)
					}
				}
			}
		}
	}
	require.Greater(t, checked, 5)
}
