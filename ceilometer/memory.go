package ceilometer

type memory struct{}
type readings struct{}
