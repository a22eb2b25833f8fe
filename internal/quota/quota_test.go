package quota

import (
	"encoding/json"
	"testing"

	"github.com/stretchr/testify/assert"
)

// What is half there is not taken for 0, nor for "no limit".
func TestHalfALimitIsUnknown(t *testing.T) {
	rows := [][3]string{{Cores, "maxTotalCores", "totalCoresUsed"}}
	for text, want := range map[string][]Limit{
		`{"maxTotalCores": 20, "totalCoresUsed": 4}`:   {{Name: Cores, Limit: 20, Used: 4}},
		`{"maxTotalCores": -1, "totalCoresUsed": 4}`:   {{Name: Cores, Limit: -1, Used: 4}},
		`{"maxTotalCores": 20}`:                        nil,
		`{"totalCoresUsed": 4}`:                        nil,
		`{"maxTotalCores": 1.5, "totalCoresUsed": 4}`:  nil,
		`{"maxTotalInstances": 3, "somethingElse": 1}`: nil,
	} {
		var a absolute
		assert.NoError(t, json.Unmarshal([]byte(`{"limits": {"absolute": `+text+`}}`), &a))
		l := Limits{Unknown: map[string]error{}}
		l.addAbsolute("Nova", a, rows)
		assert.Equal(t, want, l.All, text)
	}
}
