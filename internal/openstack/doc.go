// Package openstack signs in to an OpenStack cloud and hands out clients that share one token.
//
// Credentials come from a cloud.conf as cloud-provider-openstack uses it, from an entry of clouds.yaml or from OS_*
// variables, and are read again when their files change. Every request has a deadline, is limited in rate, waits when the
// cloud asks for it (429, 503 with Retry-After), is counted by an Observer, and never shows a credential in an error.
//
// The functions in errors.go tell what kind an error of these clients is.
package openstack
