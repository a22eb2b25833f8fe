package nodegroups_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

func TestLoadAnnotationsAreRead(t *testing.T) {
	config, problems := nodegroups.ParseConfig("workers", []string{
		"load-metric=cpu; gnocchi:(aggregate mean (metric power mean))", "load-target=60%;4.5", "load-scale-down-window=10m",
		"headroom=12.5%", "forecast=shadow",
	}, `{"schedule": "Mon,Wed 08:00-18:00=5;0 8 * * 1,3/10h=6", "load-steps": "90:+3;70:+1;20:-1"}`)
	require.Empty(t, problems)
	l := config.Load
	assert.True(t, l.Given())
	assert.Equal(t, []string{"cpu", "gnocchi:(aggregate mean (metric power mean))"}, l.Metrics)
	assert.Equal(t, []float64{60, 4.5}, l.Targets)
	assert.Equal(t, &nodegroups.Headroom{Percent: 12.5}, l.Headroom)
	assert.Equal(t, nodegroups.ForecastShadow, l.Forecast)
	assert.Equal(t, []nodegroups.LoadStep{{20, -1}, {70, 1}, {90, 3}}, l.Steps)
	require.Len(t, l.Schedule, 2)
	assert.Equal(t, []int{5, 6}, []int{l.Schedule[0].Size, l.Schedule[1].Size})
	bare, _ := nodegroups.ParseConfig("workers", []string{"node-group-max-size=3"}, "")
	assert.False(t, bare.Load.Given(), "a group without annotations about load has no floor")
}

func TestBadLoadAnnotationsAreRefused(t *testing.T) {
	tests := map[string]string{
		"load-metric=CPU use":                       `metric "CPU use": must be a name such as cpu`,
		"load-metric=;":                             "names no metric",
		"load-metric=cpu;cpu":                       "there twice",
		"load-metric=cpu;none":                      `metric "none"`,
		"load-metric=prometheus:":                   "has no expression",
		"load-target=0":                             `target "0" must be a number above 0`,
		"load-target=NaN":                           "must be a number above 0",
		"load-target=Inf":                           "must be a number above 0",
		"load-target=;":                             "names no target",
		"load-steps=70":                             "must be LOAD:CHANGE",
		"load-steps=70:0":                           "must be a whole number with a sign",
		"load-steps=-1:+1":                          "must be a number of 0 or more",
		"load-steps=70:+3;90:+1":                    "more load has to want more nodes",
		"load-steps=70:+3;70:+4":                    "two steps at 70",
		"load-steps=;":                              "names no step",
		"load-tolerance=1":                          "from 0 to 0.9",
		"load-tolerance=NaN":                        "from 0 to 0.9",
		"load-window=25h":                           "from 0s to 24h",
		"load-granularity=0s":                       "from 1s to 24h",
		"load-hold=-1m":                             "must not be negative",
		"load-polling-interval=300":                 "must be a duration with a unit",
		"load-server-group=it's":                    "without quotes",
		"headroom=-1":                               "must be a whole number",
		"headroom=-1%":                              "must be a percentage",
		"forecast=maybe":                            "must be true, false or shadow",
		"forecast-quantile=1":                       "from 0.5 to 0.99",
		"forecast-boot-time=7h":                     "from 0s to 6h",
		"schedule=08:00-18:00":                      "has no size",
		"schedule=08:00-18:00=x":                    "must be a whole number",
		"schedule=Mo-Fr 08:00-18:00=5":              "must be like Mon-Fri",
		"schedule=08:00-25:00=5":                    `"25:00" is no time`,
		"schedule=08:60-18:00=5":                    `"08:60" is no time`,
		"schedule=08:00-18:00 Europe/Atlantis=5":    `there is no time zone "Europe/Atlantis"`,
		"schedule=08:00-18:00 Local=5":              "there is no time zone",
		"schedule=0 8 * * 1-5@UTC=5":                "must be DAYS FROM-TO ZONE=SIZE or",
		"schedule=0 8 * * 1-5/10@UTC=5":             "the duration",
		"schedule=0 8 * * 1-5/200h=5":               "the duration",
		"schedule=0 8 * *    /10h=5":                "is not cron's five fields",
		"schedule=CRON_TZ=UTC 0 8 * * */10h@Cuba=5": "write the time zone at the end",
		"schedule=;":                                "names no schedule",
	}
	for tag, want := range tests {
		t.Run(tag, func(t *testing.T) {
			_, problems := nodegroups.ParseConfig("workers", []string{tag}, "")
			require.Len(t, problems, 1)
			p := problems[0]
			assert.Equal(t, nodegroups.Blocking, p.Severity, "what is not understood must not be guessed")
			assert.Contains(t, p.Message, want)
			key, value, _ := strings.Cut(tag, "=")
			assert.Equal(t, []string{key, value}, []string{p.Key, p.Value})
			assert.Contains(t, p.Remedy, "for example "+key+"=")
		})
	}
}

func TestParseLoad(t *testing.T) {
	l, err := nodegroups.ParseLoad(map[string]string{"load-metric": "none", "schedule": "none"})
	require.NoError(t, err)
	assert.NotNil(t, l.Metrics)
	assert.Empty(t, l.Metrics)
	assert.NotNil(t, l.Schedule)
	_, err = nodegroups.ParseLoad(map[string]string{"load-targt": "60"})
	assert.EqualError(t, err, "load-targt: there is no such setting of load; write load-target")
	_, err = nodegroups.ParseLoad(map[string]string{"node-group-min-size": "1"})
	assert.ErrorContains(t, err, "no such setting of load")
	_, err = nodegroups.ParseLoad(map[string]string{"load-target": "x"})
	assert.ErrorContains(t, err, `load-target="x": target "x" must be a number above 0; give a`)
}

func TestWordsOfOthersAreNoMisspeltAnnotations(t *testing.T) {
	for _, tag := range []string{"scheduler=x", "schedules=x", "forecasts=x", "forecaster", "Headroom2=1"} {
		_, problems := nodegroups.ParseConfig("s", []string{tag, "node-group-max-size=3"}, "")
		require.Empty(t, problems, tag)
	}
	_, problems := nodegroups.ParseConfig("s", []string{"load-metrics=cpu", "node-group-max-size=3"}, "")
	require.Len(t, problems, 1, "but this is one")
}
