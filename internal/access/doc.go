// Package access knows which requests to OpenStack the autoscaler makes, and makes application credentials that allow no others.
package access
