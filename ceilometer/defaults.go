package ceilometer

// SetDefaults makes other defaults hold from the next Update on.
func (f *Floors) SetDefaults(defaults Defaults) {
	f.updating.Lock()
	defer f.updating.Unlock()
	if defaults.Load.Hold == nil {
		defaults.Load.Hold = &f.opts.Hold
	}
	f.opts.Defaults = defaults
	for _, m := range f.groups {
		m.group = nil // its policy is made anew
	}
}
