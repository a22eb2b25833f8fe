// Package quota reads what a project's quotas leave, and says whether more members fit.
package quota

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"

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

// Read asks Nova, Neutron and, with volumes, Cinder. A service that does not answer is in Unknown.
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

func (a absolute) number(key string) int {
	n, err := a.Limits.Absolute[key].Int64()
	if err != nil {
		return -1
	}
	return int(n)
}

// addAbsolute takes the limits that are there with what is used of them: a half of one is nothing that can be compared.
func (l *Limits) addAbsolute(service string, a absolute, rows [][3]string) {
	for _, row := range rows {
		limit, isLimit := a.Limits.Absolute[row[1]]
		used, isUsed := a.Limits.Absolute[row[2]]
		if !isLimit && !isUsed {
			continue
		}
		most, err := limit.Int64()
		spent, errUsed := used.Int64()
		if err != nil || errUsed != nil {
			l.Unknown[service] = fmt.Errorf("%s=%q and %s=%q are no limit and its use", row[1], limit, row[2], used)
			continue
		}
		l.All = append(l.All, Limit{Name: row[0], Limit: int(most), Used: int(spent)})
	}
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
	l.addAbsolute("Nova", a, [][3]string{
		{Instances, "maxTotalInstances", "totalInstancesUsed"}, {Cores, "maxTotalCores", "totalCoresUsed"}, {RAM, "maxTotalRAMSize", "totalRAMUsed"},
	})
	if _, there := a.Limits.Absolute["maxServerGroupMembers"]; there {
		l.MembersPerServerGroup = a.number("maxServerGroupMembers")
	}
	return nil
}

func (l *Limits) readNeutron(ctx context.Context, s Session) error {
	client, err := s.Network(ctx)
	if err != nil {
		return err
	}
	var answer struct {
		Quota map[string]struct {
			Limit    int `json:"limit"`
			Used     int `json:"used"`
			Reserved int `json:"reserved"`
		} `json:"quota"`
	}
	if err := get(ctx, client, client.ServiceURL("quotas", s.ProjectID(), "details"), &answer); err != nil {
		return err
	}
	if port, there := answer.Quota["port"]; there {
		l.All = append(l.All, Limit{Name: Ports, Limit: port.Limit, Used: port.Used + port.Reserved})
	}
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
	l.addAbsolute("Cinder", a, [][3]string{
		{Volumes, "maxTotalVolumes", "totalVolumesUsed"}, {Gigabytes, "maxTotalVolumeGigabytes", "totalGigabytesUsed"},
	})
	return nil
}

func get(ctx context.Context, client *gophercloud.ServiceClient, url string, into any) error {
	//nolint:bodyclose // gophercloud closes the body when it decodes it
	_, err := client.Get(ctx, url, into, &gophercloud.RequestOpts{OkCodes: []int{http.StatusOK}})
	return err
}

// Take is what some members use.
type Take map[string]int

// TakeOf is what members of a group use. Of ports it is one each, which is what most templates make.
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
