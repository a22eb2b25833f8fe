package world

import (
	"context"
	"strings"

	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
)

// FloorNotices are what the autoscaler's newest Events about floors say, by the names of the node groups.
func (w *World) FloorNotices(ctx context.Context) (map[string]string, error) {
	list, err := w.base.Cluster.Client.CoreV1().Events(w.Name).List(ctx, metav1.ListOptions{})
	if err != nil {
		return nil, err
	}
	newest, at := map[string]string{}, map[string]metav1.Time{}
	for _, e := range list.Items {
		if !strings.HasPrefix(e.Reason, "Floor") {
			continue
		}
		group, text, ok := strings.Cut(strings.TrimPrefix(e.Message, `node group "`), `": `)
		last := at[group]
		if ok && !e.LastTimestamp.Before(&last) {
			newest[group], at[group] = text, e.LastTimestamp
		}
	}
	return newest, nil
}
