package heatstack

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// stackState is all that is known of one stack. It needs the lock of its Cloud.
type stackState struct {
	row   StackRow
	named *NamedStack // the flag that names the stack, nil if it was discovered by its tags

	// read: the parameters have been read, as they were at readKey.
	read       bool
	readKey    string
	readAt     time.Time
	parameters map[string]string
	// version counts what the writers have read, so that a slower read of the reading half does not undo it. began is the
	// version at the beginning of this refresh.
	version, began uint64
	readNow        bool // in this refresh
	readProblem    *nodegroups.Problem

	config         nodegroups.Config
	configOf       string // what config was parsed from
	configProblems []nodegroups.Problem

	// size is the size parameter; known says that it could be read at least once.
	size  int
	known bool
	// complete are the indices that the removal parameter held when an update was last carried out.
	complete map[string]bool

	template        templateFacts
	templateProblem *nodegroups.Problem
	// templateOf is what the template was inspected for: updated_time and parameter names. Empty: not yet.
	templateOf string
	// templateEarly: it was read while an update was running. Heat's classic engine shows the old one until the update has ended,
	// and ends it without another updated_time.
	templateEarly bool
	// patched: we have updated the stack since then, with its existing template.
	patched bool

	listing   []MemberRow
	listed    bool
	listedKey string
	relist    time.Time // not before
	relistIn  time.Duration
	lost      map[string]bool
	// casualties are servers that may have died in the update that is running; faults are why members of it could not be
	// started, by index ("" for those whose index is not known).
	// mourned are the casualties that have been asked for: lists of changes overlap, so they come again.
	casualties []casualty
	faults     map[string]string
	mourned    map[string]bool

	reported   []nodegroups.Problem // by the writing half
	reportedIn uint64               // the refresh in which the last one was

	// dirty: what follows has to be made anew.
	dirty    bool
	view     memberView
	value    *nodegroups.Stack
	problems []nodegroups.Problem
	detail   *StackDetail
}

// key is what moves when a stack is changed: Heat sets updated_time when an action begins and the status when it ends.
func (r *StackRow) key() string { return r.Status + " " + r.Updated }

// current says whether Heat's list of members is as new as what is known of the stack.
func (st *stackState) current() bool { return st.listed && st.listedKey == st.row.key() }

// setRow takes in a row of the list of stacks.
func (st *stackState) setRow(row StackRow) {
	if st.row.Updated != row.Updated || !isBusy(row.Status) {
		st.faults, st.casualties, st.mourned = nil, nil, nil // of another update
	}
	st.row = row
	st.dirty = true
}

// take takes in a stack that was just read.
func (st *stackState) take(d *StackDetail, now time.Time) {
	// All our updates keep the template.
	keepsTemplate := st.patched && st.row.Updated != d.Updated && st.inspected()
	st.patched = false
	st.setRow(d.StackRow)
	st.parameters = d.Parameters
	st.read, st.readKey, st.readAt, st.readProblem = true, d.key(), now, nil
	st.configure()
	if size, err := strconv.Atoi(st.parameters[st.config.Parameters.Size]); err == nil && size >= 0 {
		st.size, st.known = size, true
	}
	if isCarriedOut(st.row.Status) || st.complete == nil && !isBusy(st.row.Status) {
		st.complete = st.removalList()
	}
	if keepsTemplate {
		st.templateOf = st.inspectionKey()
	}
}

// configure parses the annotations if they have changed.
func (st *stackState) configure() {
	annotations := st.parameters[nodegroups.AnnotationsParameter]
	source := st.parameters[nodegroups.TokenSourceParameter]
	of := strings.Join(st.row.Tags, "\x00") + "\x00\x00" + annotations + "\x00\x00" + source
	if st.configOf == of {
		return
	}
	st.configOf = of
	st.config, st.configProblems = nodegroups.ParseConfig(st.row.Name, st.row.Tags, annotations)
	if st.named != nil {
		st.config.SetLimits(st.named.MinSize, st.named.MaxSize)
		st.configProblems = nodegroups.WithoutLimits(st.configProblems)
	}
	if p := st.config.SetTokenSource(source); p != nil {
		st.configProblems = append(st.configProblems, *p)
	}
}

// removalList are the indices in the removal parameter: Heat shows a comma_delimited_list as "1,2", one of type json as
// text.
func (st *stackState) removalList() map[string]bool {
	list := map[string]bool{}
	for _, entry := range splitList(st.parameters[st.config.Parameters.Removal]) {
		list[entry] = true
	}
	return list
}

// splitList reads a list parameter as Heat shows it: "1,2", or ["1","2"] for one of type json.
func splitList(text string) []string {
	entries := strings.Split(strings.Trim(strings.TrimSpace(text), "[]"), ",")
	for i := range entries {
		entries[i] = strings.Trim(strings.TrimSpace(entries[i]), `"'`)
	}
	return slices.DeleteFunc(entries, func(e string) bool { return e == "" })
}

// inspectionKey is what the template's inspection depends on.
func (st *stackState) inspectionKey() string {
	key := fmt.Sprint(st.row.Updated, " ", st.config.Parameters.Size, " ", st.config.Parameters.Removal)
	if st.config.TokenSource == nodegroups.TokenMinted {
		key += fmt.Sprint(" ", st.config.TokenSource, " ", st.config.Parameters.Token)
	}
	return key
}

// inspected says whether the template is known as it is now.
func (st *stackState) inspected() bool {
	return st.templateOf == st.inspectionKey() && (!st.templateEarly || isBusy(st.row.Status))
}

// ref is the stack as the writing half knows it.
func (st *stackState) ref() stackRef {
	return stackRef{ID: st.row.ID, Name: st.row.Name, Project: st.row.Project, Config: st.config, Template: st.template}
}

// newRemovals are the indices that were put into the removal parameter since an update was last carried out.
func (st *stackState) newRemovals() map[string]bool {
	list := st.removalList()
	maps.DeleteFunc(list, func(index string, _ bool) bool { return st.complete[index] })
	return list
}

// wantedFlavor names the flavor that has to be looked up to tell what new members get, none if that is known without.
func (st *stackState) wantedFlavor(servers *serverCache) []string {
	if name := st.parameters[st.config.Parameters.Flavor]; name != "" {
		return []string{name}
	}
	if newest := newestServer(servers.byStack[st.row.ID], st.view.live); newest != nil && newest.Flavor.VCPUs == 0 && newest.Flavor.ID != "" {
		return []string{newest.Flavor.ID}
	}
	return nil
}

// newestServer is the newest of servers and others that has run: one that could not be started may have got a flavor that no
// host has room for.
func newestServer(servers map[string]*Server, others []Server) *Server {
	var newest *Server
	for _, s := range servers {
		if s.Launched && (newest == nil || s.Created.After(newest.Created)) {
			newest = s
		}
	}
	for i := range others {
		if s := &others[i]; s.Launched && (newest == nil || s.Created.After(newest.Created)) {
			newest = s
		}
	}
	return newest
}
