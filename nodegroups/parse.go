package nodegroups

import (
	"fmt"
	"strings"
)

// written is an annotation as somebody wrote it.
type written struct{ key, value string }

// ParseConfig reads the annotations of one stack: its tags, and the text of its parameter AnnotationsParameter ("" if it
// has none). Parameter names get their defaults; the group's name is the stack's unless an annotation names it.
//
// Every problem names the group, the stack, the key, the value and the remedy. A Blocking one means that the stack must
// be left alone: what is not understood must not be guessed. Tags that have nothing to do with us are ignored. A maximum
// size that is missing is not reported here but by Merge, since another shard or the flag --nodes may give it.
func ParseConfig(stackName string, tags []string, jsonParam string) (Config, []Problem) {
	p := parser{config: Config{Parameters: DefaultParameterNames()}, given: map[Key]written{}}
	for _, tag := range tags {
		p.tag(strings.TrimSpace(tag))
	}
	p.json(jsonParam)
	if p.config.Name == "" {
		p.config.Name = stackName
	}
	p.checkTogether()
	for i := range p.problems {
		p.problems[i].Group, p.problems[i].Stack = p.config.Name, stackName
	}
	return p.config, p.problems
}

// parser collects a configuration and what is wrong with it.
type parser struct {
	config   Config
	given    map[Key]written
	problems []Problem
}

func (p *parser) block(reason, key, value, message, remedy string) {
	p.problems = append(p.problems, Problem{
		Reason: reason, Severity: Blocking, Key: key, Value: value, Message: message, Remedy: remedy,
	})
}

// tag reads one tag of the stack. Most tags are not ours.
func (p *parser) tag(tag string) {
	key, value, hasValue := strings.Cut(tag, "=")
	key, value = strings.TrimSpace(key), strings.TrimSpace(value)
	a := annotationOf(key)
	if a == nil {
		if meant, ok := NearAnnotation(key); ok {
			p.block(ReasonMisspeltTag, key, value, "the tag looks like an annotation but is none",
				fmt.Sprintf("write %s, or rename the tag if it is meant for something else", meant))
		}
		return
	}
	if !hasValue {
		p.block(ReasonBadAnnotation, key, "", "the tag has no value", remedy(a))
		return
	}
	p.set(a, written{key, value})
}

// json reads the stack parameter, in which only annotations may be.
func (p *parser) json(text string) {
	entries, err := readJSON(text)
	if err != nil {
		p.block(ReasonBadAnnotation, AnnotationsParameter, text, err.Error(),
			`set the stack parameter to a JSON object such as {"node-group-max-size": 10}`)
		return
	}
	for _, e := range entries {
		a := annotationOf(e.key)
		switch {
		case a == nil:
			remedy := "remove the key, or see the list of annotations"
			if meant, ok := NearAnnotation(e.key); ok {
				remedy = "write " + meant
			}
			p.block(ReasonUnknownAnnotation, e.key, e.value,
				"there is no such annotation in the stack parameter "+AnnotationsParameter, remedy)
		case e.bad != "":
			p.block(ReasonBadAnnotation, e.key, e.value, e.bad, remedy(a))
		default:
			p.set(a, e.written)
		}
	}
}

// set applies one annotation, unless it is bad or contradicts one that was read before.
func (p *parser) set(a *annotation, w written) {
	var alone Config
	if err := a.set(&alone, w.value); err != nil {
		p.block(ReasonBadAnnotation, w.key, w.value, err.Error(), remedy(a))
		return
	}
	if first, twice := p.given[a.key]; twice {
		value, _ := a.get(&alone)
		if before, _ := a.get(&p.config); before != value {
			p.block(ReasonBadAnnotation, w.key, w.value,
				fmt.Sprintf("contradicts %s=%q of the same stack", first.key, first.value), "keep one of the two")
		}
		return
	}
	p.given[a.key] = w
	_ = a.set(&p.config, w.value) // it was good a moment ago
}

// checkTogether finds what is wrong with annotations that are good one by one.
func (p *parser) checkTogether() {
	c := &p.config
	if problem := c.limitsProblem(); problem != nil && problem.Reason == ReasonMinAboveMax {
		p.problems = append(p.problems, *problem)
	}
	if c.Parameters.Size == c.Parameters.Removal {
		p.block(ReasonBadAnnotation, string(KeyRemovalParameter), c.Parameters.Removal,
			"is the name of the size parameter too", "name two different stack parameters")
	}
	if c.Parameters.Token == c.Parameters.Size || c.Parameters.Token == c.Parameters.Removal {
		p.block(ReasonBadAnnotation, string(KeyTokenParameter), c.Parameters.Token,
			"is the name of the size or the removal parameter too", "name different stack parameters")
	}
	if n := c.Capacity.GPUCount; n != nil && *n > 0 && c.Capacity.GPUType == "" {
		p.block(ReasonBadAnnotation, string(KeyGPUCount), fmt.Sprint(*n), "the kind of GPU is not given",
			fmt.Sprintf("add %s, for example nvidia.com/gpu", KeyGPUType))
	}
	if !namePattern.MatchString(c.Name) {
		p.block(ReasonBadAnnotation, string(KeyName), c.Name, "the stack's name can't be a node group's name",
			fmt.Sprintf("add the annotation %s", KeyName))
	}
}

// remedy says how a value of the annotation should look.
func remedy(a *annotation) string {
	return fmt.Sprintf("give a %s, for example %s=%s", a.typ, a.key, a.example)
}
