// Package browser tests the status page in a real browser, which is told what to do over its debugging protocol. It is a module of its
// own, so that nobody else gets its dependencies. Start it by test/page/run ("make test-page").
package browser
