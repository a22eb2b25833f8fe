package collect

// ring keeps the newest values up to a number of them. It grows as it is filled.
type ring[T any] struct {
	values []T
	most   int
	next   int // where the next one goes, once there are as many as may be
}

func newRing[T any](most int) ring[T] { return ring[T]{most: most} }

func (r *ring[T]) len() int { return len(r.values) }

func (r *ring[T]) add(v T) {
	if len(r.values) < r.most {
		r.values = append(r.values, v)
		return
	}
	r.values[r.next] = v
	r.next = (r.next + 1) % r.most
}

// newest returns the i-th value counted from the newest, which is 0.
func (r *ring[T]) newest(i int) *T {
	n := len(r.values)
	return &r.values[(r.next-1-i+2*n)%n]
}

// oldestFirst returns a copy.
func (r *ring[T]) oldestFirst() []T {
	out := make([]T, 0, len(r.values))
	out = append(out, r.values[r.next:]...)
	return append(out, r.values[:r.next]...)
}
