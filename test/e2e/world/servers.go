package world

import (
	"context"
	"net/http"
	"strings"
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
