// Package web shows the status: as JSON under /status.json, for tools, and as a page under /, for people. It has no login, changes
// nothing, and asks nothing of any other host. Everything that it shows is escaped: names and messages come from the cloud.
package web
