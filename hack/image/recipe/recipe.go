// Package recipe reads the last stage of the Dockerfile: what an image is made of and how it is run. "docker build" follows it, and
// so does "make image", which needs no engine.
package recipe

import (
	"bytes"
	"fmt"
	"path"
	"strings"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/moby/buildkit/frontend/dockerfile/instructions"
	"github.com/moby/buildkit/frontend/dockerfile/parser"
	"github.com/moby/buildkit/frontend/dockerfile/shell"
)

// Recipe is a last stage.
type Recipe struct {
	// Layers are the folders that are copied to the image's root, in this order, by the last part of their paths.
	Layers []string
	// Config is what the image says of how it is run.
	Config v1.Config
}

// Read reads a Dockerfile. arguments are those of "docker build --build-arg"; what is not given has the Dockerfile's default. An
// instruction that is not known is an error, since an image without it would not be the same.
func Read(dockerfile []byte, arguments map[string]string) (*Recipe, error) {
	file, err := parser.Parse(bytes.NewReader(dockerfile))
	if err != nil {
		return nil, err
	}
	stages, _, err := instructions.Parse(file.AST, nil)
	if err != nil {
		return nil, err
	}
	if len(stages) == 0 || stages[len(stages)-1].BaseName != "scratch" {
		return nil, fmt.Errorf("the last stage of the Dockerfile has to begin with FROM scratch")
	}
	r := &reader{arguments: arguments, lex: shell.NewLex('\\'), recipe: &Recipe{Config: v1.Config{
		Labels: map[string]string{}, ExposedPorts: map[string]struct{}{},
	}}}
	for _, command := range stages[len(stages)-1].Commands {
		if err := r.follow(command); err != nil {
			return nil, fmt.Errorf("%s in line %d of the Dockerfile: %w", strings.ToUpper(command.Name()), command.Location()[0].Start.Line, err)
		}
	}
	return r.recipe, nil
}

type reader struct {
	recipe    *Recipe
	lex       *shell.Lex
	arguments map[string]string
	variables []string // NAME=value, as the stage has them so far
}

// expand replaces variables in a word.
func (r *reader) expand(word string) (string, error) {
	result, _, err := r.lex.ProcessWord(word, shell.EnvsFromSlice(r.variables))
	return result, err
}

func (r *reader) follow(command instructions.Command) error {
	if expanding, ok := command.(instructions.SupportsSingleWordExpansion); ok {
		if err := expanding.Expand(r.expand); err != nil {
			return err
		}
	}
	config := &r.recipe.Config
	switch c := command.(type) {
	case *instructions.ArgCommand:
		for _, argument := range c.Args {
			value, given := r.arguments[argument.Key]
			if !given {
				value = argument.ValueString()
			}
			r.variables = append(r.variables, argument.Key+"="+value)
		}
	case *instructions.CopyCommand:
		return r.copy(c)
	case *instructions.LabelCommand:
		for _, label := range c.Labels {
			config.Labels[label.Key] = label.Value
		}
	case *instructions.EnvCommand:
		for _, variable := range c.Env {
			config.Env = append(config.Env, variable.String())
		}
	case *instructions.UserCommand:
		config.User = c.User
	case *instructions.WorkdirCommand:
		config.WorkingDir = c.Path
	case *instructions.ExposeCommand:
		for _, port := range c.Ports {
			if !strings.Contains(port, "/") {
				port += "/tcp"
			}
			config.ExposedPorts[port] = struct{}{}
		}
	case *instructions.EntrypointCommand:
		if c.PrependShell {
			return fmt.Errorf("needs the form [\"program\"]: there is no shell in the image")
		}
		config.Entrypoint = c.CmdLine
	default:
		return fmt.Errorf("hack/image/recipe does not know it: teach it, or do without")
	}
	return nil
}

// copy takes a folder of the first stage as a layer.
func (r *reader) copy(c *instructions.CopyCommand) error {
	if c.From == "" || len(c.SourcePaths) != 1 || c.DestPath != "/" || c.Chown != "" || c.Chmod != "" || len(c.SourceContents) > 0 {
		return fmt.Errorf("has to copy one folder of another stage to /, as it is")
	}
	r.recipe.Layers = append(r.recipe.Layers, path.Base(c.SourcePaths[0]))
	return nil
}
