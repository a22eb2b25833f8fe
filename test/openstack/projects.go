package simulator

import (
	"fmt"
	"strings"
	"time"
)

// Quota is what a project may use; -1 is no limit.
type Quota struct {
	Instances, Cores, RAMMiB, Ports int
}

// DefaultQuota is generous: 10,000 instances, no other limit that they could reach first.
func DefaultQuota() Quota { return Quota{Instances: 10000, Cores: 1000000, RAMMiB: -1, Ports: -1} }

// Project is an OpenStack project.
type Project struct {
	ID, Name string

	quota     Quota
	used      Quota
	servers   []*server // oldest first, deleted ones too
	changes   []change  // servers in the order of their last change
	pruned    int
	nextAddr  int
	stackList []*stack // root stacks, oldest first, deleted ones too
	byName    map[string]*stack
}

type user struct {
	id, name, password string
	admin              bool
	projects           map[string]bool // ids
	credentials        map[string]*appCredential
}

type appCredential struct {
	id, name, description, secret, project string
	user                                   *user
	unrestricted                           bool
	roles                                  []string
	rules                                  []accessRule // nil: whatever the roles allow
	expires                                time.Time    // zero: never
}

type token struct {
	id         string
	user       *user
	project    *Project
	credential *appCredential // it was made with, nil for others
	method     string
	issued     time.Time
	expires    time.Time
}

// AddProject makes a project. It panics if there is one of that name: a mistake in a test.
func (s *Simulator) AddProject(name string, quota Quota) Project {
	s.lock()
	defer s.mu.Unlock()
	if s.project(name) != nil {
		panic(fmt.Sprintf("simulated OpenStack: project %q exists", name))
	}
	p := &Project{ID: s.hexID(), Name: name, quota: quota, byName: map[string]*stack{}}
	s.projects = append(s.projects, p)
	return *p
}

// AddUser makes a user, or gives an existing one access to more projects. An admin sees all projects' servers and
// everything that Nova shows only to admins.
func (s *Simulator) AddUser(name, password string, admin bool, projects ...string) {
	s.lock()
	defer s.mu.Unlock()
	u := s.user(name)
	if u == nil {
		u = &user{id: s.hexID(), name: name, projects: map[string]bool{}, credentials: map[string]*appCredential{}}
		s.users = append(s.users, u)
	}
	u.password, u.admin = password, admin
	for _, p := range projects {
		u.projects[s.mustProject(p).ID] = true
	}
}

// AddApplicationCredential makes an application credential of the user in the project and returns its id and secret.
func (s *Simulator) AddApplicationCredential(userName, project, name string) (id, secret string) {
	s.lock()
	defer s.mu.Unlock()
	u := s.user(userName)
	if u == nil {
		panic(fmt.Sprintf("simulated OpenStack: no user %q", userName))
	}
	c := s.newCredential(u, s.mustProject(project), name, "")
	return c.id, c.secret
}

// SetPassword changes a user's password. Tokens that were issued stay good; see ExpireTokens.
func (s *Simulator) SetPassword(userName, password string) {
	s.lock()
	defer s.mu.Unlock()
	if u := s.user(userName); u != nil {
		u.password = password
	}
}

// ExpireTokens makes every token issued so far invalid: the next call with one is answered 401.
func (s *Simulator) ExpireTokens() {
	s.lock()
	defer s.mu.Unlock()
	s.tokens = map[string]*token{}
}

// SetQuota changes a project's quota.
func (s *Simulator) SetQuota(project string, quota Quota) {
	s.lock()
	defer s.mu.Unlock()
	s.mustProject(project).quota = quota
}

// GetQuota returns a project's quota and what is used of it.
func (s *Simulator) GetQuota(project string) (quota, used Quota) {
	s.lock()
	defer s.mu.Unlock()
	p := s.mustProject(project)
	return p.quota, p.used
}

func (s *Simulator) password(userName string) string {
	s.mu.Lock()
	defer s.mu.Unlock()
	if u := s.user(userName); u != nil {
		return u.password
	}
	return ""
}

// project finds a project by name or id.
func (s *Simulator) project(nameOrID string) *Project {
	for _, p := range s.projects {
		if p.ID == nameOrID || p.Name == nameOrID {
			return p
		}
	}
	return nil
}

func (s *Simulator) mustProject(nameOrID string) *Project {
	p := s.project(nameOrID)
	if p == nil {
		panic(fmt.Sprintf("simulated OpenStack: no project %q", nameOrID))
	}
	return p
}

// user finds a user by name or id.
func (s *Simulator) user(nameOrID string) *user {
	for _, u := range s.users {
		if u.id == nameOrID || u.name == nameOrID {
			return u
		}
	}
	return nil
}

// take books a server of this flavor, or says in Nova's words why the quota does not allow it.
func (p *Project) take(f *Flavor) string {
	var names, wanted, used, limits []string
	check := func(name string, want, have, limit int) {
		if limit >= 0 && have+want > limit {
			names = append(names, name)
			wanted = append(wanted, fmt.Sprint(want))
			used = append(used, fmt.Sprint(have))
			limits = append(limits, fmt.Sprint(limit))
		}
	}
	check("cores", f.VCPUs, p.used.Cores, p.quota.Cores)
	check("instances", 1, p.used.Instances, p.quota.Instances)
	check("ram", f.RAMMiB, p.used.RAMMiB, p.quota.RAMMiB)
	if len(names) > 0 {
		return fmt.Sprintf("Quota exceeded for %s: Requested %s, but already used %s of %s %s", strings.Join(names, ", "),
			strings.Join(wanted, ", "), strings.Join(used, ", "), strings.Join(limits, ", "), strings.Join(names, ", "))
	}
	p.used.Instances++
	p.used.Cores += f.VCPUs
	p.used.RAMMiB += f.RAMMiB
	return ""
}

// release gives back what take booked.
func (p *Project) release(f *Flavor) {
	p.used.Instances--
	p.used.Cores -= f.VCPUs
	p.used.RAMMiB -= f.RAMMiB
}
