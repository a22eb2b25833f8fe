// Package forecast foresees the load of a node group far enough ahead that machines ordered now are there in time.
//
// A Forecaster is told the load of each bucket of time and answers with the upper bound of a prediction interval for the time
// in which machines ordered now begin to work. Four simple experts foresee the load, each from past buckets alone: the last
// load stays; the load of other days at this time comes back; and two linear regressions, without and with the season. What each
// has lately got wrong makes its interval, and the ones that have lately been best are believed most. Nothing is fitted in
// advance, and there is nothing to configure beyond the quantile.
package forecast
