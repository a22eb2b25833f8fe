package world

import (
	"context"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/openstack"
)

// Server is a server as its owner sees it.
type Server struct {
	ID       string            `json:"id"`
	Name     string            `json:"name"`
	Status   string            `json:"status"`
	Metadata map[string]string `json:"metadata"`
}

// servers lists the project's servers.
func (w *World) servers(ctx context.Context) ([]Server, error) {
	client, err := w.Cloud.Session.Compute(ctx)
	if err != nil {
		return nil, err
	}
	var answer struct {
		Servers []Server `json:"servers"`
	}
	err = call(ctx, client, http.MethodGet, strings.TrimSuffix(client.Endpoint, "/")+"/servers/detail", nil, &answer)
	return answer.Servers, err
}

// BootServer makes a server by hand, which belongs to no stack, as the user of a cloud.conf that is written to dir. server is the
// body of Nova's request. It returns the server's id.
func BootServer(ctx context.Context, cloudConf, dir string, server map[string]any) (string, error) {
	path := filepath.Join(dir, "cloud.conf")
	if err := os.WriteFile(path, []byte(cloudConf), 0o600); err != nil {
		return "", err
	}
	session, err := openstack.NewSession(ctx, openstack.Options{CloudConfig: path, Rate: noRateLimit})
	if err != nil {
		return "", err
	}
	client, err := session.Compute(ctx)
	if err != nil {
		return "", err
	}
	var answer struct {
		Server Server `json:"server"`
	}
	err = call(ctx, client, http.MethodPost, strings.TrimSuffix(client.Endpoint, "/")+"/servers", map[string]any{"server": server}, &answer)
	return answer.Server.ID, err
}
