package sight

import (
	"fmt"
	"io"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/tool/cli"
)

// TellSource says where what is shown came from and how old it is, and what is not known. It is for standard error, so that results
// can be processed.
func (s *Sight) TellSource(out io.Writer) {
	_, _ = fmt.Fprintf(out, "Data: %s\n", s.SourceText())
	s.TellNotes(out)
}

// TellNotes says what is not known, and problems of no group.
func (s *Sight) TellNotes(out io.Writer) {
	for _, note := range s.Source.Notes {
		_, _ = fmt.Fprintf(out, "warning: %s\n", note)
	}
	for i := range s.Problems {
		p := &s.Problems[i]
		_, _ = fmt.Fprintf(out, "warning: %s: %s; %s\n", p.Code, cli.OneLine(p.String()), p.Remedy)
	}
}

// SourceText says in a line where the node groups were read and how old that is.
func (s *Sight) SourceText() string {
	text := s.Source.From
	if s.Source.ReadAt == nil {
		text += ", which has not read the cloud yet"
	} else {
		text += ", read " + cli.Ago(s.At, s.Source.ReadAt)
	}
	if s.Source.Error != "" {
		text += "; the last reading has failed: " + cli.OneLine(s.Source.Error)
	}
	return text
}
