// Package docs tests what the documentation says: links lead somewhere, and flags, annotations, metrics, reasons, template
// parameters, commands and manifests are those that there are.
package docs
