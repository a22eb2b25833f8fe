// Package rootfs makes the files of the container image: what the programs expect of a system, the programs, and lists of what they
// are made of. "docker build" and "make image" both have them made here, so that there is one definition. The same sources, and the
// same release of Go, give the same bytes.
package rootfs
