// Package play runs the commands of the documentation, in an order and in surroundings in which they mean something, as files of
// test/docs/plays say. A command stands there as it stands in the documentation, and runs in bash; it has to end with success.
//
// The package also finds the commands of the documentation, so that none is forgotten.
package play
