// Package status is what the program knows at this moment, why it is so, and what was decided lately: as JSON for tools and as a page
// for people. Everything comes from memory; nothing is asked of OpenStack or Kubernetes, and nothing can be changed through it.
package status
