package heatstack

import (
	"context"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"regexp"
	"strings"
	"time"
)

// sameNameMost bounds the answer to a search by name. Servers of a group never share a host name; that many of one name are
// somebody's mistake or mischief.
const sameNameMost = 20

// errTooManyServers: so many servers have the name that they are not looked at.
var errTooManyServers = errors.New("too many servers have this name")

// foundServer is a server with what only the search by host name tells: lists of thousands are kept without.
type foundServer struct {
	Server
	hostName  string
	launched  time.Time
	addresses []netip.Addr
}

// serverFinder is a Nova that finds servers by their host name.
type serverFinder interface {
	// FindServers returns the living servers of the project whose host name this is, as they are now.
	FindServers(ctx context.Context, hostName string) ([]foundServer, error)
}

// foundAnswer is a server in Nova's JSON with the fields that foundServer adds.
type foundAnswer struct {
	serverAnswer
	HostName  string `json:"OS-EXT-SRV-ATTR:hostname"`
	Addresses map[string][]struct {
		Address string `json:"addr"`
	} `json:"addresses"`
}

// FindServers implements serverFinder. Nova has no search by host name for those who are no administrators; it is made of the
// server's name when the server is made, so the search is by all names that it can have been made of. What Nova says is then
// compared exactly.
func (n *novaClient) FindServers(ctx context.Context, hostName string) ([]foundServer, error) {
	query := "?" + url.Values{"name": {namePattern(hostName)}, "limit": {fmt.Sprint(sameNameMost)}}.Encode()
	var answer struct {
		Servers *[]foundAnswer `json:"servers"`
		Links   []link         `json:"servers_links"`
	}
	if _, err := n.get(ctx, &answer, query, "servers", "detail"); err != nil {
		return nil, fmt.Errorf("looking for servers with the host name %s: %w", hostName, err)
	}
	if answer.Servers == nil {
		return nil, fmt.Errorf("looking for servers with the host name %s: no key servers: %w", hostName, errBadAnswer)
	}
	if len(*answer.Servers) >= sameNameMost || linkTo(answer.Links, "next") != "" {
		return nil, fmt.Errorf("looking for servers with the host name %s: %w", hostName, errTooManyServers)
	}
	var found []foundServer
	for i := range *answer.Servers {
		s := (*answer.Servers)[i].found()
		if !s.gone() && s.called(hostName) {
			s.hostName = hostName
			found = append(found, s)
		}
	}
	return found, nil
}

func (a *foundAnswer) found() foundServer {
	s := foundServer{Server: a.server(), hostName: a.HostName}
	// Nova's times of this kind have no zone and are UTC (nova/api/openstack/compute/views/servers.py).
	if at, err := time.Parse("2006-01-02T15:04:05.999999", a.Launched); err == nil {
		s.launched = at
	}
	for _, network := range a.Addresses {
		for _, one := range network {
			if addr, err := netip.ParseAddr(one.Address); err == nil {
				s.addresses = append(s.addresses, addr.Unmap().WithZone(""))
			}
		}
	}
	return s
}

// called says whether a server has this host name: as Nova shows it (since microversion 2.90), else as one version or another of
// Nova makes it of the name. Older ones left the dots and put one dash for several blanks.
func (s *foundServer) called(hostName string) bool {
	if s.hostName != "" {
		return s.hostName == hostName
	}
	return HostName(s.Name) == hostName || HostName(blanks.ReplaceAllString(s.Name, "-")) == hostName ||
		hostNameOf(blanks.ReplaceAllString(s.Name, "-")) == hostName
}

const hostNameLength = 63

var (
	blanks    = regexp.MustCompile(`[_\s]+`)
	dashed    = regexp.MustCompile(`[ _.]`)
	forbidden = regexp.MustCompile(`[^a-zA-Z0-9_.-]+`)
)

// HostName is the host name that Nova gives a server of this name (nova/utils.py, sanitize_hostname, as of Zed), empty if nothing
// of the name can be used. Letters outside of ASCII, which Nova keeps, are left out: no node can be called so.
func HostName(serverName string) string {
	return hostNameOf(dashed.ReplaceAllString(serverName, "-"))
}

func hostNameOf(name string) string {
	if runes := []rune(name); len(runes) > hostNameLength {
		name = string(runes[:hostNameLength])
	}
	return strings.Trim(strings.ToLower(forbidden.ReplaceAllString(name, "")), ".-")
}

// namePattern is a regular expression for the names that Nova makes this host name of, for Nova's filter by name, which the
// database applies: MySQL's, MariaDB's or PostgreSQL's dialect. So it has no groups, no alternatives (Nova escapes them) and no
// flags.
func namePattern(hostName string) string {
	var p strings.Builder
	p.WriteString(`^[^A-Za-z0-9]*`)
	for _, c := range hostName {
		switch {
		case c == '-':
			p.WriteString(`[-_. ]+`)
		case c >= 'a' && c <= 'z':
			p.WriteString("[" + string(c-'a'+'A') + string(c) + "]")
		case c >= '0' && c <= '9':
			p.WriteRune(c)
		default:
			p.WriteString(`[.]`)
		}
	}
	if len(hostName) < hostNameLength {
		p.WriteString(`[^A-Za-z0-9]*$`)
	}
	return p.String()
}
