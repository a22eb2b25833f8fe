// Package acceptance looks at a finished image from outside: what is in it, what it says of itself, whether it runs, and whether
// "docker build" makes the same. "make test-image" builds what it needs, and runs it.
package acceptance
