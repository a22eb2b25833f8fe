package nodegroups

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"maps"
	"slices"
	"strings"
)

// jsonEntry is one key of the JSON parameter; bad says why its value can't be used, "" if it can.
type jsonEntry struct {
	written
	bad string
}

// readJSON reads the JSON parameter as Heat returns it: the text of an object, "" or "null" if it was never set. Values
// may be strings, numbers or booleans; a list may be an array of strings or an object. Entries are sorted by key.
func readJSON(text string) ([]jsonEntry, error) {
	if text = strings.TrimSpace(text); text == "" {
		return nil, nil
	}
	if strings.Trim(text, "*") == "" {
		return nil, errors.New("the stack parameter is hidden, so that Heat does not show it")
	}
	decoder := json.NewDecoder(strings.NewReader(text))
	decoder.UseNumber()
	var object map[string]any
	if err := decoder.Decode(&object); err != nil {
		return nil, fmt.Errorf("is not a JSON object: %w", err)
	}
	if _, err := decoder.Token(); !errors.Is(err, io.EOF) {
		return nil, errors.New("is not one JSON object: something follows it")
	}
	entries := make([]jsonEntry, 0, len(object))
	for _, key := range slices.Sorted(maps.Keys(object)) {
		value, ok := jsonText(object[key])
		e := jsonEntry{written: written{strings.TrimSpace(key), value}}
		if !ok {
			e.bad = "the JSON value is of a kind that can't be used"
			e.value = fmt.Sprint(object[key])
		}
		entries = append(entries, e)
	}
	return entries, nil
}

// jsonText returns a JSON value in the form that it would have in a tag.
func jsonText(value any) (string, bool) {
	switch v := value.(type) {
	case string:
		return strings.TrimSpace(v), true
	case json.Number:
		return v.String(), true
	case bool:
		return fmt.Sprint(v), true
	case []any:
		return joinJSON(len(v), func(i int) (string, any) { return "", v[i] })
	case map[string]any:
		keys := slices.Sorted(maps.Keys(v))
		return joinJSON(len(keys), func(i int) (string, any) { return keys[i] + "=", v[keys[i]] })
	}
	return "", false
}

// joinJSON joins the items of an array or object; they must be plain values.
func joinJSON(n int, item func(i int) (prefix string, value any)) (string, bool) {
	items := make([]string, 0, n)
	for i := range n {
		prefix, value := item(i)
		switch value.(type) {
		case string, json.Number, bool:
			text, _ := jsonText(value)
			items = append(items, prefix+text)
		default:
			return "", false
		}
	}
	return strings.Join(items, ";"), true
}
