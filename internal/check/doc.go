// Package check looks whether a set-up works, and says what to do where it does not. It changes nothing.
package check
