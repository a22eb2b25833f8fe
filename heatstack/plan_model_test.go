package heatstack

import (
	"fmt"
	"strconv"
	"strings"

	"pgregory.net/rapid"
)

// modelGroup is a small model of Heat's OS::Heat::ResourceGroup, as the source of Zed has it. Time stands still: the
// test says what happens next.
type modelGroup struct {
	appendMode bool
	classic    bool
	status     string
	count      int
	list       []string
	shownCount int // what GET shows: a classic engine shows old parameters during an update
	shownList  []string
	removed    indexSet
	rows       map[int]*modelRow
	stepDue    bool // the update was accepted, its step at the group has not run
	todo       indexSet
	servers    int
	killed     []string
}

type modelRow struct {
	status, server string
}

func newModelGroup(t *rapid.T) *modelGroup {
	m := &modelGroup{
		appendMode: rapid.Bool().Draw(t, "append"),
		classic:    rapid.Bool().Draw(t, "classic"),
		removed:    indexSet{}, rows: map[int]*modelRow{}, todo: indexSet{},
	}
	m.patch(rapid.IntRange(0, 6).Draw(t, "count"), nil)
	m.run(t, false)
	return m
}

func (m *modelGroup) busy() bool { return strings.HasSuffix(m.status, "_IN_PROGRESS") }

// patch is an accepted update; false is a 409.
func (m *modelGroup) patch(count int, list []string) bool {
	if m.classic && m.busy() {
		return false
	}
	m.count, m.status, m.stepDue = count, "UPDATE_IN_PROGRESS", true
	if list != nil {
		m.list = list
	}
	if !m.classic {
		m.show()
	}
	return true
}

func (m *modelGroup) show() { m.shownCount, m.shownList = m.count, m.list }

// next is what the group's step would compute now.
func (m *modelGroup) next(count int, list []string) (removed, intended indexSet) {
	removed = indexSet{}
	if m.appendMode {
		removed = m.removed.union(nil)
	}
	for _, name := range list {
		i, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		if _, member := m.rows[i]; member || m.removed[i] {
			removed[i] = true
		}
	}
	return removed, firstFree(count, removed)
}

// doomed are the servers that an update to these parameters would take if its step ran now.
func (m *modelGroup) doomed(count int, list []string) []string {
	_, intended := m.next(count, list)
	var out []string
	for i, row := range m.rows {
		if row.server != "" && !isBeingDeleted(row.status) && (!intended[i] || row.status == "CHECK_FAILED") {
			out = append(out, row.server)
		}
	}
	return out
}

// step is the group's own step of an update.
func (m *modelGroup) step() {
	m.stepDue = false
	m.killed = append(m.killed, m.doomed(m.count, m.list)...)
	var intended indexSet
	m.removed, intended = m.next(m.count, m.list)
	m.todo = indexSet{}
	for i, row := range m.rows {
		switch {
		case !intended[i]:
			row.status = "DELETE_IN_PROGRESS"
			m.todo[i] = true
		case strings.HasSuffix(row.status, "_FAILED"), isBeingDeleted(row.status):
			*row = modelRow{status: "INIT_COMPLETE"}
			m.todo[i] = true
		case row.server == "":
			m.todo[i] = true
		}
	}
	for i := range intended {
		if m.rows[i] == nil {
			m.todo[i] = true
			if !m.classic { // convergence stores all new resources before it starts
				m.rows[i] = &modelRow{status: "INIT_COMPLETE"}
			}
		}
	}
}

// advance lets one thing happen to one member, in any order.
func (m *modelGroup) advance(t *rapid.T, mayFail bool) {
	switch {
	case m.stepDue && mayFail && rapid.IntRange(0, 4).Draw(t, "failsEarly") == 0:
		m.stepDue = false // another resource of the stack failed first
		m.finish(true)
		return
	case m.stepDue:
		m.step()
		return
	case len(m.todo) == 0:
		m.finish(false)
		return
	}
	i := rapid.SampledFrom(m.todo.sorted()).Draw(t, "member")
	row := m.rows[i]
	isFailing := mayFail && rapid.IntRange(0, 4).Draw(t, "fails") == 0
	switch {
	case row == nil:
		m.rows[i] = &modelRow{status: "CREATE_IN_PROGRESS"}
	case row.status == "DELETE_IN_PROGRESS" && isFailing:
		row.status = "DELETE_FAILED"
		m.finish(true)
	case row.status == "DELETE_IN_PROGRESS":
		delete(m.rows, i)
		delete(m.todo, i)
	case row.status == "INIT_COMPLETE":
		row.status = "CREATE_IN_PROGRESS"
	case row.server == "":
		if isFailing {
			row.status = "CREATE_FAILED"
			m.finish(true)
			return
		}
		m.servers++
		row.server = fmt.Sprintf("s%d", m.servers)
	default:
		row.status = "CREATE_COMPLETE"
		delete(m.todo, i)
	}
}

// finish ends the update. A failure leaves whatever was not done undone.
func (m *modelGroup) finish(isFailed bool) {
	m.show()
	m.status = "UPDATE_COMPLETE"
	if isFailed {
		m.status = "UPDATE_FAILED"
	}
	m.todo = indexSet{}
}

// run lets the update end.
func (m *modelGroup) run(t *rapid.T, mayFail bool) {
	for m.busy() {
		m.advance(t, mayFail)
	}
}

// check is Heat's check action, by a human, with Nova answering nonsense for some.
func (m *modelGroup) check(t *rapid.T) {
	if m.busy() {
		return
	}
	m.status = "CHECK_COMPLETE"
	for _, i := range m.indices() {
		row := m.rows[i]
		switch {
		case row.server == "" || isBeingDeleted(row.status):
		case rapid.IntRange(0, 3).Draw(t, "unhealthy") == 0:
			row.status, m.status = "CHECK_FAILED", "CHECK_FAILED"
		default:
			row.status = "CHECK_COMPLETE"
		}
	}
}

// heal is a check that finds everything in order.
func (m *modelGroup) heal() {
	for _, row := range m.rows {
		if row.status == "CHECK_FAILED" {
			row.status = "CHECK_COMPLETE"
		}
	}
}

func (m *modelGroup) listing() []MemberRow {
	var out []MemberRow
	for i, row := range m.rows {
		out = append(out, MemberRow{Index: strconv.Itoa(i), ServerID: row.server, Status: row.status})
	}
	return out
}

func (m *modelGroup) alive() []string {
	var out []string
	for _, i := range m.indices() {
		if row := m.rows[i]; row.server != "" && !isBeingDeleted(row.status) {
			out = append(out, row.server)
		}
	}
	return out
}

func (m *modelGroup) indices() []int {
	set := indexSet{}
	for i := range m.rows {
		set[i] = true
	}
	return set.sorted()
}
