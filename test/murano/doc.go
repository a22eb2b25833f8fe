// Package murano holds tests that deploy the packages of deploy/murano with a real Murano, see test/lab: they import them,
// deploy, scale as the autoscaler does, and deploy again. Their build tag is lab, as nothing of it can be played.
package murano
