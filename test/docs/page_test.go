package docs

import (
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

// root is the repository's top folder, seen from here.
const root = "../.."

// generated pages are written from the code, and tested by hack/reference.
var generated = map[string]bool{"docs/reference/flags.md": true, "docs/reference/templates.md": true}

// page is a Markdown file, taken apart.
type page struct {
	// path is relative to the repository, with slashes.
	path string
	// text is the prose: everything outside of code blocks. Each block leaves an empty line.
	text   string
	blocks []block
}

// block is a fenced code block.
type block struct {
	page, language, text string
	line                 int
}

// isGuide says whether a page is one of the documentation's hand-written ones.
func (p *page) isGuide() bool { return strings.HasPrefix(p.path, "docs/") && !generated[p.path] }

// readPages reads all pages of the repository.
func readPages(t *testing.T) []*page {
	t.Helper()
	var pages []*page
	err := filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := entry.Name()
		if entry.IsDir() && (name == "bin" || name == "vendor" || name == "testdata" || strings.HasPrefix(name, ".") && path != root) {
			return filepath.SkipDir
		}
		if filepath.Ext(name) != ".md" {
			return nil
		}
		text, err := os.ReadFile(path) //nolint:gosec // a file of the repository
		if err != nil {
			return err
		}
		relative, err := filepath.Rel(root, path)
		pages = append(pages, parsePage(filepath.ToSlash(relative), string(text)))
		return err
	})
	require.NoError(t, err)
	require.NotEmpty(t, pages)
	return pages
}

// fence is what begins or ends a code block. In a list it is indented, as is the block.
var fence = regexp.MustCompile("^( *)```([a-z]*)$")

func parsePage(path, text string) *page {
	p := &page{path: path}
	var prose strings.Builder
	var open *block
	var indent string
	for i, line := range strings.Split(text, "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case m != nil && open == nil:
			indent = m[1]
			open = &block{page: path, language: m[2], line: i + 2}
			prose.WriteByte('\n')
		case m != nil:
			p.blocks = append(p.blocks, *open)
			open = nil
		case open != nil:
			open.text += strings.TrimPrefix(line, indent) + "\n"
		default:
			prose.WriteString(line + "\n")
		}
	}
	if open != nil {
		p.blocks = append(p.blocks, *open)
	}
	p.text = prose.String()
	return p
}

var (
	inlineCode = regexp.MustCompile("`([^`\n]+)`")
	// made is a table that hack/reference writes into a page.
	made = regexp.MustCompile(`(?s)<!-- begin (\S+) -->.*?<!-- end \S+ -->`)
)

// spans returns the inline code of a page's prose, each text once. Tables that are made from the code are not prose.
func (p *page) spans() []string {
	var out []string
	seen := map[string]bool{}
	for _, m := range inlineCode.FindAllStringSubmatch(made.ReplaceAllString(p.text, ""), -1) {
		if text := strings.TrimSpace(m[1]); !seen[text] {
			seen[text] = true
			out = append(out, text)
		}
	}
	return out
}

func TestParsePage(t *testing.T) {
	p := parsePage("a.md", "one `x`\n```sh\nls\n```\n<!-- begin table -->\n| `t` |\n<!-- end table -->\n- two `x` and `y z`\n  ```yaml\n  a:\n    b: c\n  ```\n")
	require.Equal(t, []string{"x", "y z"}, p.spans())
	require.Equal(t, []block{
		{page: "a.md", language: "sh", text: "ls\n", line: 3},
		{page: "a.md", language: "yaml", text: "a:\n  b: c\n", line: 10},
	}, p.blocks)
	require.NotContains(t, p.text, "ls")
}
