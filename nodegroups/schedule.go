package nodegroups

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	_ "time/tzdata" // a distroless image has no time zones of its own

	"github.com/robfig/cron/v3"
)

// Schedule is a size that is wanted at certain times. Values are immutable.
//
// It is written in one of two ways, the time zone being UTC if there is none:
//
//	Mon-Fri 08:00-18:00 Europe/Berlin=5    days (may be left out), from and to
//	0 8 * * 1-5/10h@Europe/Berlin=5        cron's five fields, duration and time zone
//
// From and to are times of the wall clock: a period that a change of summer time is in is an hour longer or shorter. If to is
// not after from, the period ends on the next day. A period of the cron form lasts as long as it says, whatever the clock does.
type Schedule struct {
	// Text is the schedule as it was written.
	Text string
	// Size is in members of the group.
	Size int

	zone *time.Location
	// days, from and to are of the first form; from and to are in minutes since midnight.
	days     [7]bool
	from, to int
	// cron and lasts are of the second form.
	cron  cron.Schedule
	lasts time.Duration
}

// maxLasts bounds a period, and so how far back a start is looked for.
const maxLasts = 7 * 24 * time.Hour

// Active says whether the schedule's size is wanted at a time.
func (s *Schedule) Active(now time.Time) bool {
	if s.zone == nil {
		return false
	}
	now = now.In(s.zone)
	if s.cron != nil {
		// The first start after now-lasts is one whose period is not over, if it is not in the future. A start at exactly
		// now-lasts is over.
		next := s.cron.Next(now.Add(-s.lasts))
		return !next.IsZero() && !next.After(now)
	}
	minute := now.Hour()*60 + now.Minute()
	today, yesterday := s.days[now.Weekday()], s.days[(now.Weekday()+6)%7]
	if s.from < s.to {
		return today && minute >= s.from && minute < s.to
	}
	return today && minute >= s.from || yesterday && minute < s.to
}

// clockPattern is the first form without its size.
var clockPattern = regexp.MustCompile(`^(?:(\S+)\s+)?(\d{1,2}:\d{2})-(\d{1,2}:\d{2})(?:\s+(\S+))?$`)

// ParseSchedule reads one schedule; the error says what a good one looks like.
func ParseSchedule(text string) (Schedule, error) {
	i := strings.LastIndex(text, "=")
	if i < 0 {
		return Schedule{}, errors.New("has no size; write it after a '=', as in Mon-Fri 08:00-18:00 Europe/Berlin=5")
	}
	size, err := parseCount(strings.TrimSpace(text[i+1:]), 0)
	if err != nil {
		return Schedule{}, fmt.Errorf("the size after '=' %w", err)
	}
	s := Schedule{Text: text, Size: int(size)}
	when := strings.TrimSpace(text[:i])
	if m := clockPattern.FindStringSubmatch(when); m != nil {
		err = s.parseClock(m[1], m[2], m[3], m[4])
	} else {
		err = s.parseCron(when)
	}
	return s, err
}

func (s *Schedule) parseClock(days, from, to, zone string) error {
	var err error
	if s.days, err = parseDays(days); err != nil {
		return err
	}
	if s.from, err = parseClockTime(from); err != nil {
		return err
	}
	if s.to, err = parseClockTime(to); err != nil {
		return err
	}
	return s.parseZone(zone)
}

func (s *Schedule) parseZone(zone string) (err error) {
	if zone == "" {
		zone = "UTC"
	}
	if s.zone, err = time.LoadLocation(zone); err != nil || zone == "Local" {
		return fmt.Errorf("there is no time zone %q; write one such as Europe/Berlin or UTC", zone)
	}
	return nil
}

func parseClockTime(text string) (int, error) {
	hour, minute, _ := strings.Cut(text, ":")
	h, err1 := strconv.Atoi(hour)
	m, err2 := strconv.Atoi(minute)
	if err1 != nil || err2 != nil || m > 59 || h*60+m > 24*60 {
		return 0, fmt.Errorf("%q is no time from 00:00 to 24:00", text)
	}
	return h*60 + m, nil
}

var dayNames = []string{"sun", "mon", "tue", "wed", "thu", "fri", "sat"}

// parseDays reads Mon-Fri, Sat+Sun or a single day; nothing is every day.
func parseDays(text string) (days [7]bool, err error) {
	if text == "" {
		text = "Sun-Sat"
	}
	for _, part := range strings.FieldsFunc(text, func(r rune) bool { return r == '+' || r == ',' }) {
		first, last, isRange := strings.Cut(part, "-")
		if !isRange {
			last = first
		}
		a, b := slices.Index(dayNames, strings.ToLower(first)), slices.Index(dayNames, strings.ToLower(last))
		if a < 0 || b < 0 {
			return days, fmt.Errorf("days %q must be like Mon-Fri or Sat+Sun", text)
		}
		for d := a; ; d = (d + 1) % 7 {
			days[d] = true
			if d == b {
				break
			}
		}
	}
	return days, nil
}

func (s *Schedule) parseCron(when string) error {
	when, zone, _ := strings.Cut(when, "@")
	i := strings.LastIndex(when, "/")
	if i < 0 {
		return errors.New("must be DAYS FROM-TO ZONE=SIZE or CRON/DURATION@ZONE=SIZE, for example 0 8 * * 1-5/10h@Europe/Berlin=5")
	}
	lasts, err := time.ParseDuration(strings.TrimSpace(when[i+1:]))
	if err != nil || lasts < time.Minute || lasts > maxLasts {
		return fmt.Errorf("the duration %q after '/' must be from 1m to %s", when[i+1:], maxLasts)
	}
	fields := strings.TrimSpace(when[:i])
	if strings.Contains(fields, "TZ=") {
		return errors.New("write the time zone at the end, after '@'")
	}
	if s.cron, err = cron.ParseStandard(fields); err != nil {
		return fmt.Errorf("%q is not cron's five fields: %w", fields, err)
	}
	s.lasts = lasts
	return s.parseZone(strings.TrimSpace(zone))
}

func setSchedule(c *Config, text string) error {
	if text == none {
		c.Load.Schedule = []Schedule{}
		return nil
	}
	var all []Schedule
	for _, item := range splitItems(text) {
		s, err := ParseSchedule(item)
		if err != nil {
			return fmt.Errorf("schedule %q: %w", item, err)
		}
		all = append(all, s)
	}
	if len(all) == 0 {
		return errors.New("names no schedule")
	}
	c.Load.Schedule = all
	return nil
}

func getSchedule(c *Config) (string, bool) {
	if c.Load.Schedule != nil && len(c.Load.Schedule) == 0 {
		return none, true
	}
	items := make([]string, 0, len(c.Load.Schedule))
	for i := range c.Load.Schedule {
		items = append(items, c.Load.Schedule[i].Text)
	}
	return strings.Join(items, ";"), c.Load.Schedule != nil
}

// Equal says whether two schedules are written alike.
func (s Schedule) Equal(other Schedule) bool { return s.Text == other.Text && s.Size == other.Size } //nolint:gocritic // go-cmp asks values
