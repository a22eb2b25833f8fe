package nodegroups_test

import (
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func TestScheduleIsActive(t *testing.T) {
	const weekdays, cron = "Mon-Fri 08:00-18:00 Europe/Berlin=5", "0 8 * * 1-5/10h@Europe/Berlin=5"
	tests := []struct {
		schedule, at string // at is in UTC
		want         bool
	}{
		// 2026-11-26 is a Thursday, Berlin is one hour ahead of UTC.
		{weekdays, "2026-11-26T06:59:59Z", false}, {weekdays, "2026-11-26T07:00:00Z", true},
		{weekdays, "2026-11-26T16:59:59Z", true}, {weekdays, "2026-11-26T17:00:00Z", false},
		{weekdays, "2026-11-28T10:00:00Z", false},
		{cron, "2026-11-26T06:59:59Z", false}, {cron, "2026-11-26T07:00:00Z", true},
		{cron, "2026-11-26T16:59:59Z", true}, {cron, "2026-11-26T17:00:00Z", false},
		{cron, "2026-11-28T10:00:00Z", false},
		// In July it is two hours ahead.
		{weekdays, "2026-07-23T06:00:00Z", true}, {weekdays, "2026-07-23T16:00:00Z", false},
		{cron, "2026-07-23T06:00:00Z", true}, {cron, "2026-07-23T16:00:00Z", false},
		// Over midnight: Friday's night ends on Saturday.
		{"Fri 22:00-02:00=3", "2026-11-28T01:59:00Z", true}, {"Fri 22:00-02:00=3", "2026-11-28T02:00:00Z", false},
		{"Fri 22:00-02:00=3", "2026-11-27T01:00:00Z", false}, {"Fri 22:00-02:00=3", "2026-11-28T22:30:00Z", false},
		{"Sat+Sun 00:00-24:00=2", "2026-11-29T23:59:59Z", true}, {"Sat+Sun 00:00-24:00=2", "2026-11-30T00:00:00Z", false},
		{"Sat-Mon 00:00-24:00=2", "2026-11-29T12:00:00Z", true}, {"12:00-13:00=2", "2026-11-29T12:00:00Z", true},
		// On 2026-03-29 Berlin's clock goes from 02:00 to 03:00 (01:00 UTC). From and to are the clock's: an hour less.
		{"01:00-04:00 Europe/Berlin=4", "2026-03-29T00:00:00Z", true}, {"01:00-04:00 Europe/Berlin=4", "2026-03-29T01:59:00Z", true},
		{"01:00-04:00 Europe/Berlin=4", "2026-03-29T02:00:00Z", false},
		// The cron form lasts as long as it says.
		{"0 1 * * */3h@Europe/Berlin=4", "2026-03-29T02:59:00Z", true}, {"0 1 * * */3h@Europe/Berlin=4", "2026-03-29T03:00:00Z", false},
		// On 2026-10-25 it goes from 03:00 back to 02:00 (01:00 UTC): an hour more, and no gap in it.
		{"01:00-04:00 Europe/Berlin=4", "2026-10-24T23:00:00Z", true}, {"01:00-04:00 Europe/Berlin=4", "2026-10-25T01:30:00Z", true},
		{"01:00-04:00 Europe/Berlin=4", "2026-10-25T02:59:00Z", true}, {"01:00-04:00 Europe/Berlin=4", "2026-10-25T03:00:00Z", false},
		{"0 1 * * */3h@Europe/Berlin=4", "2026-10-25T01:59:00Z", true}, {"0 1 * * */3h@Europe/Berlin=4", "2026-10-25T02:00:00Z", false},
		// The days after are as ever.
		{cron, "2026-03-30T06:00:00Z", true}, {cron, "2026-10-26T06:59:00Z", false}, {cron, "2026-10-26T07:00:00Z", true},
	}
	for _, test := range tests {
		s, err := nodegroups.ParseSchedule(test.schedule)
		require.NoError(t, err, test.schedule)
		at, err := time.Parse(time.RFC3339, test.at)
		require.NoError(t, err)
		assert.Equal(t, test.want, s.Active(at), "%s at %s", test.schedule, test.at)
	}
	assert.False(t, (&nodegroups.Schedule{Size: 3}).Active(time.Now()), "one that was never read is never active")
}
