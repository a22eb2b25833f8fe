package replay

import (
	"bufio"
	"fmt"
	"io"
	"math"
	"slices"
	"strconv"
	"strings"
	"time"
)

// point is one row of a CSV.
type point struct {
	at   time.Time
	load float64
	line int
}

// layouts are the forms of a timestamp that are understood, besides seconds since 1970. Those without a zone are UTC.
var layouts = []string{
	time.RFC3339Nano, "2006-01-02T15:04:05", "2006-01-02T15:04", "2006-01-02 15:04:05Z07:00", "2006-01-02 15:04:05", "2006-01-02 15:04",
	"2006-01-02", "2006/01/02 15:04:05", "2006/01/02 15:04",
}

// ReadCSV reads rows of timestamp and load, with or without a header, in any order. It returns the loads per bucket of that many
// minutes, and what the reader of a report should know of them. Rows in one bucket are averaged; rows that are farther apart
// than a bucket have a straight line between them; what is missing is filled with the last load. Errors name line, value and remedy.
func ReadCSV(r io.Reader, bucket int) (loads []float64, notes []string, err error) {
	points, err := readPoints(r)
	if err != nil {
		return nil, nil, err
	}
	if len(points) < 2 {
		return nil, nil, fmt.Errorf("there are %d rows of data; write at least two days of rows like 2024-05-01T10:05:00Z,17.3", len(points))
	}
	if !slices.IsSortedFunc(points, earlier) {
		notes = append(notes, "the rows are not in the order of time; sorted")
		slices.SortStableFunc(points, earlier)
	}
	unique := slices.CompactFunc(slices.Clone(points), func(a, b point) bool { return a.at.Equal(b.at) })
	if n := len(points) - len(unique); n > 0 {
		notes = append(notes, fmt.Sprintf("%d rows repeat the timestamp of another; the first one of each counts", n))
	}
	if len(unique) < 2 {
		return nil, nil, fmt.Errorf("all rows have the timestamp %s; write one row for each 5 minutes", unique[0].at.Format(time.RFC3339))
	}
	loads, more, err := resample(unique, time.Duration(bucket)*time.Minute)
	return loads, append(notes, more...), err
}

func earlier(a, b point) int { return a.at.Compare(b.at) }

func readPoints(r io.Reader) ([]point, error) {
	var points []point
	lines := bufio.NewScanner(r)
	first := true
	for line := 1; lines.Scan(); line++ {
		text := strings.TrimSpace(strings.TrimPrefix(lines.Text(), "\ufeff"))
		if text == "" || strings.HasPrefix(text, "#") {
			continue
		}
		separator := ","
		if !strings.Contains(text, ",") && strings.Contains(text, ";") {
			separator = ";"
		}
		cells := strings.Split(text, separator)
		header := first
		first = false
		if len(cells) < 2 {
			return nil, fmt.Errorf("line %d: %q has no comma; write timestamp,load", line, text)
		}
		stamp, value := cell(cells[0]), cell(cells[1])
		at, err := readTime(stamp)
		if err != nil {
			if header {
				continue
			}
			return nil, fmt.Errorf("line %d: %w", line, err)
		}
		load, err := strconv.ParseFloat(value, 64)
		if value == "" || strings.EqualFold(value, "nan") || strings.EqualFold(value, "null") {
			continue // missing, which resample tells
		}
		if err != nil || math.IsInf(load, 0) || load < 0 {
			return nil, fmt.Errorf("line %d: the load %q is not a number from 0; correct it, or leave the line out", line, value)
		}
		points = append(points, point{at, load, line})
	}
	return points, lines.Err()
}

func cell(s string) string { return strings.Trim(strings.TrimSpace(s), `"`) }

func readTime(s string) (time.Time, error) {
	for _, layout := range layouts {
		if t, err := time.Parse(layout, s); err == nil {
			return t, nil
		}
	}
	// From 1973 on; smaller numbers are no seconds since 1970. Those of 13 digits are milliseconds.
	if n, err := strconv.ParseFloat(s, 64); err == nil && n >= 1e8 && n < 1e14 {
		if n >= 1e11 {
			n /= 1000
		}
		return time.UnixMilli(int64(n * 1000)).UTC(), nil
	}
	return time.Time{}, fmt.Errorf("the timestamp %q is not understood; write 2024-05-01T10:05:00Z, 2024-05-01 10:05:00 (UTC) or seconds since 1970", s)
}
