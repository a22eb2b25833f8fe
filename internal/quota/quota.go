// Package quota reads what a project's quotas leave, and says whether more members fit.
package quota

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/gophercloud/gophercloud/v2"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
)

// Names of what quotas limit.
const (
	Instances = "instances"
	Cores     = "cores"
	RAM       = "RAM (MiB)"
	Ports     = "ports"
	Volumes   = "volumes"
	Gigabytes = "gigabytes of volumes"
)

// Limit is one quota.
type Limit struct {
	Name string
	// Used and Limit are in the unit of the name. Limit is negative if there is none.
	Used, Limit int
}

// Left is how much more may be used, and false if there is no limit.
func (l Limit) Left() (int, bool) { return max(0, l.Limit-l.Used), l.Limit >= 0 }

// Limits are a project's quotas.
type Limits struct {
	All []Limit
	// MembersPerServerGroup is how many servers one server group may have, negative for no limit, 0 if the cloud does not say.
	MembersPerServerGroup int
	// Unknown are the services that did not tell theirs, with the reason.
	Unknown map[string]error
}

// Session gives clients. internal/openstack's Session is one.
type Session interface {
	Compute(ctx context.Context) (*gophercloud.ServiceClient, error)
	Network(ctx context.Context) (*gophercloud.ServiceClient, error)
	Service(ctx context.Context, serviceType string) (*gophercloud.ServiceClient, error)
	ProjectID() string
}

// Read asks Nova, Neutron and, with volumes, Cinder. A service that does not answer, or leaves out a number, is in Unknown; of the
// latter there are those quotas in All that it has told in full.
func Read(ctx context.Context, s Session, volumes bool) Limits {
	limits := Limits{Unknown: map[string]error{}}
	limits.note("Nova", limits.readNova(ctx, s))
	limits.note("Neutron", limits.readNeutron(ctx, s))
	if volumes {
		limits.note("Cinder", limits.readCinder(ctx, s))
	}
	return limits
}

func (l *Limits) note(service string, err error) {
	if err != nil {
		l.Unknown[service] = errors.New(openstack.Message(err))
	}
}

// absolute are the limits of Nova and of Cinder.
type absolute struct {
	Limits struct {
		Absolute map[string]json.Number `json:"absolute"`
	} `json:"limits"`
}

// number reads one of them. ok is false if it is not there or no whole number: that is neither 0 nor "no limit".
func (a absolute) number(key string) (n int, ok bool) {
	number, err := a.Limits.Absolute[key].Int64()
	return int(number), err == nil
}

// addAbsolute adds the quotas of which both the limit and what is used are told. The error names what is not.
func (l *Limits) addAbsolute(a absolute, rows [][3]string) error {
	var untold []string
	for _, row := range rows {
		limit, limitOK := a.number(row[1])
		used, usedOK := a.number(row[2])
		if !limitOK {
			untold = append(untold, row[1])
		}
		if !usedOK {
			untold = append(untold, row[2])
		}
		if limitOK && usedOK {
			l.All = append(l.All, Limit{Name: row[0], Limit: limit, Used: max(0, used)})
		}
	}
	return untoldError(untold)
}

func untoldError(names []string) error {
	if len(names) == 0 {
		return nil
	}
	return fmt.Errorf("its answer has no number for %s", strings.Join(names, ", "))
}

func (l *Limits) readNova(ctx context.Context, s Session) error {
	client, err := s.Compute(ctx)
	if err != nil {
		return err
	}
	var a absolute
	if err := get(ctx, client, client.ServiceURL("limits"), &a); err != nil {
		return err
	}
	err = l.addAbsolute(a, [][3]string{
		{Instances, "maxTotalInstances", "totalInstancesUsed"}, {Cores, "maxTotalCores", "totalCoresUsed"}, {RAM, "maxTotalRAMSize", "totalRAMUsed"},
	})
	if most, ok := a.number("maxServerGroupMembers"); ok {
		l.MembersPerServerGroup = most
	}
	return err
}

func (l *Limits) readNeutron(ctx context.Context, s Session) error {
	client, err := s.Network(ctx)
	if err != nil {
		return err
	}
	var answer struct {
		Quota map[string]struct {
			Limit    *int `json:"limit"`
			Used     *int `json:"used"`
			Reserved int  `json:"reserved"`
		} `json:"quota"`
	}
	if err := get(ctx, client, client.ServiceURL("quotas", s.ProjectID(), "details"), &answer); err != nil {
		return err
	}
	port := answer.Quota["port"]
	if port.Limit == nil || port.Used == nil {
		return untoldError([]string{"ports"})
	}
	l.All = append(l.All, Limit{Name: Ports, Limit: *port.Limit, Used: *port.Used + port.Reserved})
	return nil
}

func (l *Limits) readCinder(ctx context.Context, s Session) error {
	client, err := s.Service(ctx, "block-storage")
	if err != nil {
		return err
	}
	var a absolute
	if err := get(ctx, client, client.ServiceURL("limits"), &a); err != nil {
		return err
	}
	return l.addAbsolute(a, [][3]string{
		{Volumes, "maxTotalVolumes", "totalVolumesUsed"}, {Gigabytes, "maxTotalVolumeGigabytes", "totalGigabytesUsed"},
	})
}

func get(ctx context.Context, client *gophercloud.ServiceClient, url string, into any) error {
	//nolint:bodyclose // gophercloud closes the body when it decodes it
	_, err := client.Get(ctx, url, into, &gophercloud.RequestOpts{OkCodes: []int{http.StatusOK}})
	return err
}

// Take is what some members use.
type Take map[string]int

// OfFlavor are the quotas of which a member takes what its flavor says.
var OfFlavor = []string{Cores, RAM}

// TakeOf is what members of a group use. Of ports it is one each, which is what most templates make. If the group's flavor is not
// known, what is OfFlavor is not in it.
func TakeOf(g *nodegroups.Group, members int) Take {
	t := Take{Instances: members, Ports: members}
	if g.Flavor != nil {
		t[Cores], t[RAM] = members*g.Flavor.VCPUs, members*g.Flavor.RAMMiB
	}
	if g.BootVolumeGiB > 0 {
		t[Volumes], t[Gigabytes] = members, members*g.BootVolumeGiB
	}
	return t
}

// Add adds what others use.
func (t Take) Add(other Take) {
	for name, n := range other {
		t[name] += n
	}
}

// Lacks says of which quotas too little is left, one sentence each.
func (l Limits) Lacks(t Take) []string {
	var out []string
	for _, limit := range l.All {
		if left, limited := limit.Left(); limited && t[limit.Name] > left {
			out = append(out, fmt.Sprintf("%s: %d are needed and %d of %d are left", limit.Name, t[limit.Name], left, limit.Limit))
		}
	}
	return out
}

// NotCompared names what members take of quotas that are not known, in the order of the alphabet.
func (l Limits) NotCompared(t Take) []string {
	var out []string
	for _, name := range slices.Sorted(maps.Keys(t)) {
		if t[name] > 0 && !slices.ContainsFunc(l.All, func(limit Limit) bool { return limit.Name == name }) {
			out = append(out, name)
		}
	}
	return out
}
