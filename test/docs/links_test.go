package docs

import (
	"net/url"
	"os"
	"path"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

var (
	link    = regexp.MustCompile(`\[[^\]]*\]\(([^)\s]+)\)`)
	heading = regexp.MustCompile(`(?m)^#{1,6} +(.+?) *$`)
	noSlug  = regexp.MustCompile(`[^\p{L}\p{N} _-]`)
)

// links returns the targets of a page's links. Those in inline code are none.
func (p *page) links() []string {
	var out []string
	for _, m := range link.FindAllStringSubmatch(inlineCode.ReplaceAllString(p.text, ""), -1) {
		out = append(out, m[1])
	}
	return out
}

// anchors are the names under which GitHub finds the headings of a page.
func (p *page) anchors() map[string]bool {
	out := map[string]bool{}
	for _, m := range heading.FindAllStringSubmatch(p.text, -1) {
		text := link.ReplaceAllStringFunc(m[1], func(l string) string { return l[1:strings.Index(l, "]")] })
		out[strings.ReplaceAll(noSlug.ReplaceAllString(strings.ToLower(text), ""), " ", "-")] = true
	}
	return out
}

func TestLinksLeadSomewhere(t *testing.T) {
	pages := readPages(t)
	byPath := map[string]*page{}
	for _, p := range pages {
		byPath[p.path] = p
	}
	checked := 0
	for _, p := range pages {
		for _, target := range p.links() {
			u, err := url.Parse(target)
			if err != nil {
				t.Errorf("%s: %q is no link: %v", p.path, target, err)
				continue
			}
			if u.Scheme != "" {
				if u.Scheme != "https" && u.Hostname() != "127.0.0.1" {
					t.Errorf("%s: %q: links go by https", p.path, target)
				}
				continue
			}
			checked++
			file := p.path
			if u.Path != "" {
				file = path.Join(path.Dir(p.path), u.Path)
			}
			if _, err := os.Stat(root + "/" + file); err != nil {
				t.Errorf("%s: the link to %q leads nowhere", p.path, target)
				continue
			}
			if other := byPath[file]; u.Fragment != "" && (other == nil || !other.anchors()[u.Fragment]) {
				t.Errorf("%s: %s has no heading for %q", p.path, file, u.Fragment)
			}
		}
	}
	require.Greater(t, checked, 20)
}

// Whoever reads the index finds every page.
func TestEveryPageIsInTheIndex(t *testing.T) {
	pages := readPages(t)
	linked := map[string]bool{"docs/README.md": true}
	for _, p := range pages {
		if p.path == "docs/README.md" {
			for _, target := range p.links() {
				file, _, _ := strings.Cut(target, "#")
				linked[path.Join("docs", file)] = true
			}
		}
	}
	require.True(t, linked["README.md"], "the index leads back to README.md")
	for _, p := range pages {
		if strings.HasPrefix(p.path, "docs/") && !linked[p.path] {
			t.Errorf("docs/README.md does not name %s", p.path)
		}
	}
}

func TestAnchors(t *testing.T) {
	p := parsePage("a.md", "# What `--dry-run` does\n\n## 2. Have a [stack](b.md), or not?\n")
	require.Equal(t, map[string]bool{"what---dry-run-does": true, "2-have-a-stack-or-not": true}, p.anchors())
}
