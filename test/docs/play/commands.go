package play

import (
	"context"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// Command is a command in the documentation.
type Command struct {
	// Text is the command on one line as far as it was broken with backslashes only, with single blanks and without comments.
	Text string
	// Page is the page that has it, relative to the repository.
	Page string
	// Inline: it stands in a sentence or a table, where a name such as "kubectl apply" may stand for any use of it.
	Inline bool
}

var (
	fence      = regexp.MustCompile("^( *)```([a-z]*)$")
	inlineCode = regexp.MustCompile("`([^`\n]+)`")
	comment    = regexp.MustCompile(`(^| )#.*$`)
	blanks     = regexp.MustCompile(` +`)
	// programs begin what counts as a command outside of code blocks.
	programs = regexp.MustCompile(`^(openstack|kubectl|kubeadm|helm|make|murano|bin/cluster-autoscaler-openstack) \S`)
)

// Commands finds the commands in README.md and docs: each in a code block of shell, and those of known programs in sentences.
func Commands(ctx context.Context, root string) ([]Command, error) {
	pages := []string{"README.md"}
	err := filepath.WalkDir(filepath.Join(root, "docs"), func(path string, _ fs.DirEntry, err error) error {
		if filepath.Ext(path) == ".md" {
			relative, _ := filepath.Rel(root, path)
			pages = append(pages, filepath.ToSlash(relative))
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	var commands []Command
	for _, page := range pages {
		text, err := os.ReadFile(filepath.Join(root, page)) //nolint:gosec // a page of the repository
		if err != nil {
			return nil, err
		}
		found, err := commandsOf(ctx, page, string(text))
		if err != nil {
			return nil, err
		}
		commands = append(commands, found...)
	}
	return commands, nil
}

func commandsOf(ctx context.Context, page, text string) ([]Command, error) {
	var commands []Command
	var block []string
	indent, inBlock, isShell := "", false, false
	for n, line := range strings.Split(text, "\n") {
		m := fence.FindStringSubmatch(line)
		switch {
		case m != nil && !inBlock:
			indent, inBlock, isShell, block = m[1], true, m[2] == "sh", nil
		case m != nil:
			inBlock = false
			if !isShell {
				continue
			}
			split, err := Split(ctx, strings.Join(block, "\n"))
			if err != nil {
				return nil, fmt.Errorf("%s, code block that ends in line %d: %w", page, n+1, err)
			}
			for _, text := range split {
				commands = append(commands, Command{Text: text, Page: page})
			}
		case inBlock:
			block = append(block, strings.TrimPrefix(line, indent))
		default:
			for _, span := range inlineCode.FindAllStringSubmatch(line, -1) {
				if programs.MatchString(span[1]) {
					commands = append(commands, Command{Text: Normal(span[1]), Page: page, Inline: true})
				}
			}
		}
	}
	return commands, nil
}

// Normal is a command with single blanks.
func Normal(text string) string {
	return strings.TrimSpace(blanks.ReplaceAllString(text, " "))
}

// Split takes a piece of shell apart into commands: a line each, or as many lines as bash needs to understand one.
func Split(ctx context.Context, text string) ([]string, error) {
	text = strings.ReplaceAll(text, "\\\n", " ")
	var commands []string
	open := ""
	for _, line := range strings.Split(text, "\n") {
		line = comment.ReplaceAllString(line, "")
		if open == "" && strings.TrimSpace(line) == "" {
			continue
		}
		if open != "" {
			open += "\n"
		}
		open += line
		if !isComplete(ctx, open) {
			continue
		}
		commands = append(commands, Normal(open))
		open = ""
	}
	if open != "" {
		return nil, fmt.Errorf("%q does not end", open)
	}
	return commands, nil
}

// isComplete asks bash. It ends with success for a here-document without an end, and says so.
func isComplete(ctx context.Context, text string) bool {
	if !strings.ContainsAny(text, "'\"|&{<(") && !strings.HasPrefix(text, "for ") {
		return true
	}
	check := exec.CommandContext(ctx, "bash", "-n")
	check.Stdin = strings.NewReader(text)
	said, err := check.CombinedOutput()
	return err == nil && len(said) == 0
}
