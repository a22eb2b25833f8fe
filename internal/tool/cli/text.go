package cli

import (
	"fmt"
	"strconv"
	"strings"
	"time"

	v1 "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
	"k8s.io/apimachinery/pkg/util/duration"
)

// Number is a number that may not be known.
func Number(n *int) string {
	if n == nil {
		return Unknown
	}
	return strconv.Itoa(*n)
}

// Age is how long ago something was, as kubectl says it.
func Age(now time.Time, at *time.Time) string {
	if at == nil || at.IsZero() {
		return Unknown
	}
	return duration.HumanDuration(max(now.Sub(*at), 0))
}

// Ago is a time for a sentence.
func Ago(now time.Time, at *time.Time) string {
	if at == nil || at.IsZero() {
		return "at an unknown time"
	}
	return Age(now, at) + " ago"
}

// OrNone is text, or None.
func OrNone(text string) string {
	if text == "" {
		return None
	}
	return text
}

// OrUnknown is text, or Unknown.
func OrUnknown(text string) string {
	if text == "" {
		return Unknown
	}
	return text
}

// Shorten cuts a text for a column. What is cut is shown with -o wide.
func Shorten(text string, most int) string {
	text = OneLine(text)
	if runes := []rune(text); len(runes) > most {
		return string(runes[:most-1]) + "…"
	}
	return text
}

// OneLine makes one line of a text that another program wrote, with nothing in it that a terminal would take for an order.
func OneLine(text string) string {
	text = strings.Join(strings.Fields(text), " ")
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || r >= 0x80 && r < 0xa0 {
			return -1
		}
		return r
	}, text)
}

// Count is "1 node" or "3 nodes".
func Count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}

// Amount is a quantity of a resource, bytes in a unit that people can read.
func Amount(name v1.ResourceName, q resource.Quantity) string {
	if name == v1.ResourceMemory || name == v1.ResourceEphemeralStorage {
		if text := q.String(); len(text) < 7 {
			return text
		}
		return fmt.Sprintf("%dMi", q.Value()>>20)
	}
	return q.String()
}
