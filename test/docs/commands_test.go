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

// commands are the commands of other programs that the documentation uses, with the flags that it gives them. Each was tried
// with the program itself before it was written down here: python-openstackclient 6.0 with python-heatclient 3.1, kubectl and
// kubeadm 1.33.
var commands = map[string][]string{}

// program matches what begins a command.
var program = regexp.MustCompile(`^(?:sudo )?(openstack|kubectl|kubeadm|make|bin/cluster-autoscaler-openstack|cluster-autoscaler-openstack)\b`)

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
		if line = strings.TrimSpace(regexp.MustCompile(`^.*?="?(openstack|kubectl)`).ReplaceAllString(line, "$1")); program.MatchString(line) {
			out = append(out, strings.TrimPrefix(line, "sudo "))
		}
	}
	return out
}

// commandOf finds which of the commands a line is: the longest name that it begins with.
func commandOf(line string) string {
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

func TestCommandsAreKnown(t *testing.T) {
	known := readWords(t)
	checked := 0
	for _, p := range readPages(t) {
		if p.path != "README.md" && !p.isGuide() {
			continue
		}
		for _, b := range p.blocks {
			for _, line := range shellCommands(b) {
				checked++
				flags := regexp.MustCompile(`(?:^| )(--?[a-zA-Z][a-z0-9-]*)`).FindAllStringSubmatch(regexp.MustCompile(`'[^']*'`).ReplaceAllString(line, ""), -1)
				fields := strings.Fields(line)
				switch {
				case strings.HasSuffix(fields[0], "cluster-autoscaler-openstack"):
					for _, flag := range flags {
						if known[flag[1]] != "flag" {
							t.Errorf("%s, code block in line %d: there is no flag %s", b.page, b.line, flag[1])
						}
					}
				case fields[0] == "make":
					if known[fields[1]] == "" {
						t.Errorf("%s, code block in line %d: there is no target %s", b.page, b.line, fields[1])
					}
				case commandOf(line) == "":
					t.Errorf("%s, code block in line %d: try %q and add it to commands_test.go", b.page, b.line, line)
				default:
					for _, flag := range flags {
						if !slices.Contains(commands[commandOf(line)], flag[1]) {
							t.Errorf("%s, code block in line %d: try the flag %s of %q and add it to commands_test.go", b.page, b.line, flag[1], commandOf(line))
						}
					}
				}
			}
		}
	}
	require.Greater(t, checked, 20)
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
	tags := regexp.MustCompile(`--tags '?([^' ]+)'?`)
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
