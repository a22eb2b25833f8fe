// Package templates tests the Heat templates of deploy/heat: what they say of themselves, and what the simulated OpenStack makes
// of them. What the real Heat makes of them is tested by test/lab.
package templates
