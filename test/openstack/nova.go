package simulator

import (
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
)

const (
	novaMinimum = 1
	novaMaximum = 93
	// novaPage is Nova's max_limit: what a list holds at most.
	novaPage = 1000
)

// nova answers for the compute service.
func nova(q *request) *response {
	if len(q.path) == 0 {
		return jsonResponse(http.StatusOK, map[string]any{"versions": []any{q.sim.novaVersion()}})
	}
	if len(q.path) == 1 && q.path[0] == "v2.1" {
		return jsonResponse(http.StatusOK, map[string]any{"version": q.sim.novaVersion()})
	}
	if r := q.authenticate(); r != nil {
		return r
	}
	minor, problem := q.microversion()
	if problem != nil {
		return problem
	}
	r := q.novaRoute(minor)
	version := fmt.Sprintf("2.%d", minor)
	if r.header == nil {
		r.header = http.Header{}
	}
	r.header["OpenStack-API-Version"] = []string{"compute " + version}
	r.header["X-OpenStack-Nova-API-Version"] = []string{version}
	r.header["Vary"] = []string{"OpenStack-API-Version", "X-OpenStack-Nova-API-Version"}
	return r
}

func (s *Simulator) novaVersion() map[string]any {
	return map[string]any{
		"id": "v2.1", "status": "CURRENT", "version": fmt.Sprintf("2.%d", novaMaximum), "min_version": "2.1", "updated": "2013-07-23T11:33:21Z",
		"links": []any{link("self", s.endpoint("/compute/v2.1/"))},
	}
}

// microversion reads which minor version of the API is asked for.
func (q *request) microversion() (int, *response) {
	asked := q.Header.Get("X-OpenStack-Nova-API-Version")
	if v, ok := strings.CutPrefix(q.Header.Get("OpenStack-API-Version"), "compute "); ok {
		asked = v
	}
	switch asked {
	case "":
		return novaMinimum, nil
	case "latest":
		return novaMaximum, nil
	}
	minor, err := strconv.Atoi(strings.TrimPrefix(asked, "2."))
	if err != nil || minor < novaMinimum || minor > novaMaximum {
		return 0, jsonResponse(http.StatusNotAcceptable, map[string]any{"computeFault": map[string]any{"code": 406,
			"message": fmt.Sprintf("Version %s is not supported by the API. Minimum is 2.1 and maximum is 2.%d.", asked, novaMaximum)}})
	}
	return minor, nil
}

func novaError(status int, kind, message string) *response {
	return jsonResponse(status, map[string]any{kind: map[string]any{"code": status, "message": message}})
}

func (q *request) novaRoute(minor int) *response {
	path := q.path[1:]
	switch {
	case path[0] == "servers" && len(path) == 1 && q.Method == http.MethodPost:
		return q.createServer()
	case path[0] == "servers" && (len(path) == 1 || len(path) == 2 && path[1] == "detail"):
		return q.listServers(minor, len(path) == 2)
	case path[0] == "servers" && len(path) == 2:
		return q.oneServer(minor, path[1])
	case path[0] == "servers" && len(path) == 3 && path[2] == "action":
		return q.serverAction(path[1])
	case path[0] == "servers" && len(path) == 3 && path[2] == "os-instance-actions":
		return q.instanceActions(minor, path[1])
	case path[0] == "flavors":
		return q.flavorRoute(minor, path[1:])
	case path[0] == "limits":
		return q.limits()
	case path[0] == "os-quota-sets" && len(path) >= 2:
		return q.quotaSet(path[1])
	case path[0] == "os-server-groups" && len(path) == 1:
		return jsonResponse(http.StatusOK, map[string]any{"server_groups": []any{}})
	case path[0] == "os-keypairs" && len(path) == 2:
		return novaError(http.StatusNotFound, "itemNotFound", "Keypair "+path[1]+" not found for user "+q.token.user.id)
	case path[0] == "os-availability-zone":
		return jsonResponse(http.StatusOK, map[string]any{"availabilityZoneInfo": []any{map[string]any{
			"zoneName": "nova", "zoneState": map[string]any{"available": true}, "hosts": nil}}})
	}
	return novaError(http.StatusNotFound, "itemNotFound", "The resource could not be found.")
}

// filters that Nova's list of servers knows; whatever else is asked is refused from 2.75 on.
var serverFilters = []string{
	"limit", "marker", "changes-since", "changes-before", "status", "name", "tags", "tags-any", "not-tags", "not-tags-any", "metadata", "all_tenants", "deleted",
	"flavor", "image", "host", "ip", "ip6", "project_id", "tenant_id", "user_id", "uuid", "sort_key", "sort_dir", "vm_state", "task_state", "locked",
	"availability_zone", "hostname", "key_name", "reservation_id", "power_state", "launched_at", "terminated_at", "created_at", "updated_at", "access_ip_v4",
}

// listServers lists servers, newest first, in pages of at most 1000.
func (q *request) listServers(minor int, detail bool) *response {
	query := q.URL.Query()
	bad := func(format string, args ...any) *response {
		return novaError(http.StatusBadRequest, "badRequest", fmt.Sprintf(format, args...))
	}
	for key := range query {
		if minor >= 75 && !slices.Contains(serverFilters, key) && !strings.HasPrefix(key, "_") {
			return bad("'%s' does not match any of the regexes: '^_'", key)
		}
	}
	limit := novaPage
	if v := query.Get("limit"); v != "" {
		n, err := strconv.Atoi(v)
		if err != nil || n < 0 {
			return bad("Invalid input for query parameters limit. Value: %s. '%s' does not match '^[0-9]*$'", v, v)
		}
		limit = min(n, novaPage)
		if n == 0 {
			limit = novaPage
		}
	}
	projects := []*Project{q.token.project}
	if truth(query.Get("all_tenants")) {
		if !q.token.user.admin {
			return novaError(http.StatusForbidden, "forbidden", "Policy doesn't allow os_compute_api:servers:detail:get_all_tenants to be performed.")
		}
		projects = q.sim.projects
	}
	var since time.Time
	if v := query.Get("changes-since"); v != "" {
		t, ok := parseTime(v)
		if !ok {
			return bad("Invalid input for query parameters changes-since. Value: %s. '%s' is not a 'date-time'", v, v)
		}
		since = t
	}
	var list []*server
	for _, p := range projects {
		if since.IsZero() {
			list = append(list, p.living()...)
		} else {
			list = append(list, p.changedSince(since)...)
		}
	}
	if len(projects) > 1 {
		slices.SortFunc(list, func(a, b *server) int { return b.number - a.number })
	}
	list, problem := q.filterServers(list)
	if problem != nil {
		return problem
	}
	if marker := query.Get("marker"); marker != "" {
		at := slices.IndexFunc(list, func(srv *server) bool { return srv.id == marker })
		if at < 0 {
			// It may have changed away from the filter since: only its place in the order counts.
			m := q.sim.servers[marker]
			if m == nil {
				return bad("marker [%s] not found", marker)
			}
			at = slices.IndexFunc(list, func(srv *server) bool { return srv.number < m.number }) - 1
			if at < -1 {
				at = len(list) - 1
			}
		}
		list = list[at+1:]
	}
	more := len(list) > limit
	if more {
		list = list[:limit]
	}
	rows := make([]any, 0, len(list))
	for _, srv := range list {
		if detail {
			rows = append(rows, srv.detail(minor, q.token.user.admin, false))
		} else {
			rows = append(rows, map[string]any{"id": srv.id, "name": srv.name, "links": srv.links()})
		}
	}
	body := map[string]any{"servers": rows}
	if more {
		query.Set("marker", list[len(list)-1].id)
		at := "/compute/v2.1/servers"
		if detail {
			at += "/detail"
		}
		body["servers_links"] = []any{link("next", q.sim.endpoint(at)+"?"+query.Encode())}
	}
	return jsonResponse(http.StatusOK, body)
}

// filterServers applies a list's filters. The filter by metadata is for admins only; for others Nova ignores it in silence.
func (q *request) filterServers(list []*server) ([]*server, *response) {
	query := q.URL.Query()
	keep := func(f func(*server) bool) {
		list = slices.DeleteFunc(slices.Clone(list), func(srv *server) bool { return !f(srv) })
	}
	if v := query.Get("status"); v != "" {
		keep(func(srv *server) bool { return strings.EqualFold(srv.status, v) })
	}
	if v := query.Get("name"); v != "" {
		// MariaDB and MySQL compare without regard to case; Nova escapes alternatives (_safe_regex_mysql).
		re, err := regexp.Compile("(?i)" + strings.ReplaceAll(v, "|", `\|`))
		if err != nil {
			return nil, novaError(http.StatusBadRequest, "badRequest",
				fmt.Sprintf("Invalid input for query parameters name. Value: %s. '%s' is not a 'regex'", v, v))
		}
		keep(func(srv *server) bool { return re.MatchString(srv.name) })
	}
	if v := query.Get("tags"); v != "" {
		for _, tag := range strings.Split(v, ",") {
			keep(func(srv *server) bool { return slices.Contains(srv.tags, tag) })
		}
	}
	if v := query.Get("tags-any"); v != "" {
		keep(func(srv *server) bool {
			return slices.ContainsFunc(strings.Split(v, ","), func(tag string) bool { return slices.Contains(srv.tags, tag) })
		})
	}
	if v := query.Get("metadata"); v != "" && q.token.user.admin {
		wanted := map[string]string{}
		if err := decodeJSON(v, &wanted); err == nil {
			keep(func(srv *server) bool {
				for k, value := range wanted {
					if srv.metadata[k] != value {
						return false
					}
				}
				return true
			})
		}
	}
	return list, nil
}

func parseTime(v string) (time.Time, bool) {
	for _, layout := range []string{time.RFC3339Nano, "2006-01-02T15:04:05.999999", "2006-01-02T15:04:05", "2006-01-02 15:04:05", "2006-01-02"} {
		if t, err := time.Parse(layout, v); err == nil {
			return t, true
		}
	}
	return time.Time{}, false
}

func (q *request) oneServer(minor int, id string) *response {
	srv := q.sim.servers[id]
	if srv == nil || srv.status == "DELETED" || srv.project != q.token.project && !q.token.user.admin {
		return novaError(http.StatusNotFound, "itemNotFound", "Instance "+id+" could not be found.")
	}
	switch q.Method {
	case http.MethodGet:
		return jsonResponse(http.StatusOK, map[string]any{"server": srv.detail(minor, q.token.user.admin, true)})
	case http.MethodDelete:
		q.sim.remove(srv, OutOfBand, q.token.user.name, nil)
		return &response{status: http.StatusNoContent, header: http.Header{"Content-Type": {"application/json"}}}
	}
	return novaError(http.StatusNotFound, "itemNotFound", "The resource could not be found.")
}
