package openstack

import (
	"encoding/json"
	"html"
	"maps"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"unicode/utf8"
)

// maxMessage bounds a message: it goes into Events, which Kubernetes limits to 1 KiB.
const maxMessage = 800

// Message returns the cloud's own words: what the JSON or HTML body of a refused answer says, the error's text if there
// was no answer. It is one line of at most 800 bytes and never holds a credential; empty for nil.
func Message(err error) string {
	if err == nil {
		return ""
	}
	refusal, ok := response(err)
	if !ok {
		return oneLine(err.Error())
	}
	text := oneLine(bodyText(refusal.Body))
	if text == "" {
		text = http.StatusText(refusal.Actual)
	}
	return text
}

func bodyText(body []byte) string {
	var value any
	if json.Unmarshal(body, &value) == nil {
		return jsonText(value, 0)
	}
	return htmlText(string(body))
}

// messageKeys are where the services put what happened, the best one first. Heat has an outer explanation that only says
// "The server could not comply", so its error.message goes first.
var messageKeys = []string{"error", "message", "faultstring", "explanation", "description", "detail", "cause", "title"}

// jsonText finds the message: {"error": {"message": …}} of Keystone and Heat, {"itemNotFound": {"message": …}} of Nova,
// {"NeutronError": {"message": …}} of Neutron, {"description": …} of Gnocchi.
func jsonText(value any, depth int) string {
	switch v := value.(type) {
	case string:
		return v
	case map[string]any:
		if depth > 4 {
			return ""
		}
		for _, key := range messageKeys {
			if text := jsonText(v[key], depth+1); text != "" {
				return text
			}
		}
		for _, key := range slices.Sorted(maps.Keys(v)) {
			if _, nested := v[key].(map[string]any); nested {
				if text := jsonText(v[key], depth+1); text != "" {
					return text
				}
			}
		}
	case []any:
		if len(v) > 0 && depth <= 4 {
			return jsonText(v[0], depth+1)
		}
	}
	return ""
}

var (
	htmlHead = regexp.MustCompile(`(?is)<(head|script|style)\b.*?</(head|script|style)>`)
	htmlTag  = regexp.MustCompile(`(?s)<[^>]*>`)
	// htmlBreak is a line break, also where it is all that is left of the markup.
	htmlBreak = regexp.MustCompile(`(?i)<br */?>`)
)

// htmlText is what a page says without its head. Pages of WebOb, which Heat and Glance use, and of proxies are alike.
func htmlText(page string) string {
	text := html.UnescapeString(htmlTag.ReplaceAllString(htmlHead.ReplaceAllString(page, " "), " "))
	// WebOb escapes the line breaks that it has put into the text.
	return htmlBreak.ReplaceAllString(text, " ")
}

func oneLine(text string) string {
	text = strings.Join(strings.Fields(strings.ToValidUTF8(text, "")), " ")
	if len(text) <= maxMessage {
		return text
	}
	const more = "…"
	cut := maxMessage - len(more)
	for !utf8.RuneStart(text[cut]) {
		cut--
	}
	return text[:cut] + more
}
