package nodegroups

// Given returns the annotations that are given and count, by key, in a form in which ParseConfig reads them back. Names of stack
// parameters are among them only where they are not the usual ones.
func (c *Config) Given() map[string]string {
	usual := Config{Parameters: DefaultParameterNames()}
	given := map[string]string{}
	for i := range annotations {
		text, ok := annotations[i].get(c)
		if !ok {
			continue
		}
		if known, isUsual := annotations[i].get(&usual); isUsual && known == text {
			continue
		}
		given[string(annotations[i].key)] = text
	}
	return given
}
