// Package collect fills the status: a Book is told of everything that is decided, as an observer and as a decorator of orders, and
// makes a status.Report of that and of what the other packages have in memory. Nothing knows the Book but the program's wiring.
package collect
