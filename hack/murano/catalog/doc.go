// Package catalog builds application packages for Murano, OpenStack's application catalog, from Heat templates: the form from
// the template's parameters, the class from deploy/murano/stack.yaml, and the template itself, unchanged.
//
// The packages are of Murano's own format, not of its format for Heat templates (Heat.HOT/1.0), whose generated class sends
// Heat the parameters of the form at every deployment, and with them the size that the stack had when it was made. See
// docs/how-to/murano.md for what that does to a node group.
package catalog
