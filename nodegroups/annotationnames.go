package nodegroups

import "strings"

// annotationName is a name under which an annotation may be written.
type annotationName struct {
	name string
	*annotation
}

// annotationNames are all names, and annotationsByName finds them.
var annotationNames, annotationsByName = indexAnnotations()

func indexAnnotations() ([]annotationName, map[string]*annotation) {
	var names []annotationName
	byName := map[string]*annotation{}
	for i := range annotations {
		a := &annotations[i]
		for _, name := range append([]string{string(a.key)}, aliases(a.key)...) {
			names = append(names, annotationName{name, a})
			byName[name] = a
		}
	}
	return names, byName
}

// annotationOf returns the row of a key or alias, nil if there is none.
func annotationOf(key string) *annotation { return annotationsByName[key] }

// aliases returns the names that cluster-autoscaler's clusterapi provider has for a key.
func aliases(key Key) []string {
	switch {
	case key == KeyMinSize || key == KeyMaxSize:
		long := clusterAPISizeKeys + string(key)
		return []string{long, clusterAPIPrefix + long, clusterAPIPrefix + string(key)}
	case strings.HasPrefix(string(key), optionsPrefix):
		return []string{clusterAPIPrefix + string(key)}
	}
	return nil
}

func (a *annotation) doc() AnnotationDoc {
	return AnnotationDoc{
		Key: a.key, Aliases: aliases(a.key), Type: a.typ, Default: a.defaultText, Example: a.example, Meaning: a.about,
	}
}
