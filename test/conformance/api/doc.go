// Package api is a plain client of OpenStack's HTTP APIs for tests: it sends what it is told to and shows what came back,
// status, headers and body, without retries, redirects or interpretation.
package api
