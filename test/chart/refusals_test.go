//go:build chart

package chart

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// Values that make no sense are refused in words that name the value and what to do.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const minimal, embedded, network = "minimal", "embedded", "network"
	for _, c := range []struct {
		values string
		set    string
		want   []string
	}{
		// by the schema
		{minimal, "mode=sideways", []string{"mode", "external", "embedded"}},
		{minimal, "modes=external", []string{"modes", "not allowed"}},
		{minimal, "openstack.cloudconf=x", []string{"cloudconf", "not allowed"}},
		{minimal, "replicas=0", []string{"replicas"}},
		{minimal, "nodeGroups.tags={a=b\\,c=d}", []string{"tags"}},
		{minimal, "grpc.port=80", []string{"port"}},
		{minimal, "image.digest=latest", []string{"digest"}},
		{minimal, "proxy.http=proxy:3128", []string{"http"}},
		{minimal, "descheduler.interval=5", []string{"interval"}},
		{minimal, "hostAliases[0].ip=192.0.2.1", []string{"hostnames"}},
		{minimal, "terminationGracePeriodSeconds=5", []string{"terminationGracePeriodSeconds"}},
		// by the templates
		{minimal, "openstack.existingSecret=", []string{"no credentials", "openstack.existingSecret", "--set-file"}},
		{minimal, "openstack.cloudConf=x", []string{"more than once", "openstack.existingSecret and openstack.cloudConf"}},
		{minimal, "openstack.applicationCredential.id=x", []string{"more than once", "openstack.applicationCredential"}},
		{minimal, "openstack.existingSecret=,openstack.applicationCredential.id=x", []string{"authURL, id and secret"}},
		{minimal, "openstack.caBundle=x", []string{"openstack.caBundle", "PEM", "--set-file"}},
		{minimal, "openstack.caBundle=-----BEGIN CERTIFICATE-----,openstack.existingCAConfigMap=x", []string{"leave one"}},
		{minimal, "nodeGroups.tags=null", []string{"no node groups", "nodeGroups.tags"}},
		{embedded, "nodeGroups.named[0].min=11", []string{"workers", "min 11", "max 10"}},
		{embedded, "autoscaler.enabled=false", []string{"autoscaler.enabled", "mode=external"}},
		{minimal, "hostNetwork=true", []string{"hostNetwork", "loopback", "mode=embedded"}},
		{embedded, "networkPolicy.enabled=true", []string{"networkPolicy.enabled", "hostNetwork"}},
		{minimal, "autoscaler.extraArgs.cloud-config=x", []string{"autoscaler.extraArgs.cloud-config", "from openstack"}},
		{minimal, "autoscaler.extraArgs.--v=4", []string{"without dashes"}},
		{minimal, "autoscaler.extraArgs.openstack-rate=4", []string{"provider.extraArgs.openstack-rate"}},
		{minimal, "provider.extraArgs.dry-run=true", []string{"dry-run", "mode=embedded"}},
		{minimal, "provider.extraArgs.grpc-address=:1", []string{"grpc.listen"}},
		{minimal, "autoscaler.extraArgs.leader-elect=false", []string{"leader-elect", "replicas=1"}},
		{minimal, "grpc.listen=network", []string{"grpc.listen=network", "autoscaler.enabled=false"}},
		{minimal, "autoscaler.enabled=false", []string{"grpc.listen=network"}},
		{network, "replicas=2", []string{"replicas=2", "Set replicas=1"}},
		{network, "grpc.tls.source=existing", []string{"grpc.tls.existingSecret"}},
		{network, "grpc.tls.existingSecret=x", []string{"grpc.tls.source=certManager"}},
		{network, "grpc.tls.issuerRef.name=", []string{"grpc.tls.issuerRef.name"}},
		{network, "networkPolicy.grpcFrom=null", []string{"networkPolicy.grpcFrom"}},
		{"monitored", "monitoring.serviceMonitor.enabled=true", []string{"podMonitor", "serviceMonitor", "leave one"}},
		{"least", "rbac.create=false", []string{"rbac.extraRules", "rbac.create=true"}},
		{minimal, "serviceAccount.create=false", []string{"serviceAccount.name"}},
		{minimal, "features.bootstrapTokens=false", []string{"features.bootstrapTokens=false", "features.approveNodeCertificates=true", "both to false"}},
		{minimal, "features.bootstrapTokens=false,features.approveNodeCertificates=false,features.kubeadmJoin=true", []string{"features.kubeadmJoin", "minted"}},
		{minimal, "load.enabled=false,load.config.defaults.load-target=60", []string{"load.enabled=false", "load.config"}},
		{minimal, "load.source=prometheus", []string{"load.prometheus.url", "aetos"}},
		{minimal, "load.source=statsd", []string{"source", "gnocchi"}},
		{minimal, "load.prometheus.url=aetos,load.prometheus.existingSecret=x", []string{"load.prometheus.url=aetos", "its address"}},
		{minimal, "load.prometheus.url=prometheus:9090", []string{"url"}},
		{"load", "load.existingConfigMap=x", []string{"load.config and load.existingConfigMap", "leave one"}},
		{"load", "load.prometheus.existingSecret=x", []string{"load.prometheus.config", "leave one"}},
		{"load", "prices.existingConfigMap=x", []string{"prices.config", "leave one"}},
		{"load", "load.enabled=false", []string{"load.enabled=false"}},
		{minimal, "autoscaler.extraArgs.expander=price", []string{"expander=price", "prices.config"}},
		{"load", "autoscaler.extraArgs.expander=least-waste", []string{"expander=least-waste", "price,least-waste"}},
		{"load", "prices.config.default.perMiB=1", []string{"perMiB", "not allowed"}},
		{minimal, "provider.extraArgs.load-config=/x", []string{"provider.extraArgs.load-config", "from load.config"}},
		{minimal, "provider.extraArgs.bootstrap-tokens=false", []string{"features.bootstrapTokens"}},
		{minimal, "provider.extraArgs.status-address=:1", []string{"from status"}},
		{minimal, "externalMetrics.enabled=true,load.enabled=false", []string{"externalMetrics.enabled", "load.enabled=false"}},
		{minimal, "externalMetrics.enabled=true,externalMetrics.tls.source=existing", []string{"externalMetrics.tls.existingSecret", "--set-file externalMetrics.tls.caBundle"}},
		{minimal, "externalMetrics.enabled=true,externalMetrics.tls.existingSecret=x", []string{"externalMetrics.tls.source=helm"}},
		{minimal, "externalMetrics.enabled=true,externalMetrics.tls.source=certManager", []string{"externalMetrics.tls.issuerRef.name"}},
		{minimal, "externalMetrics.enabled=true,externalMetrics.port=8087", []string{"externalMetrics.port=8087", "provider's metrics"}},
		{minimal, "status.enabled=true,status.port=8086", []string{"status.port=8086", "grpc.port"}},
		{minimal, "grpc.port=8085", []string{"grpc.port=8085", "cluster-autoscaler's metrics"}},
		{network, "networkPolicy.statusFrom=null", []string{"networkPolicy.statusFrom", "no login"}},
		{minimal, "repair.perHour=0", []string{"perHour"}},
		{minimal, "repair.after=5", []string{"after"}},
	} {
		t.Run(c.values+" "+c.set, func(t *testing.T) {
			t.Parallel()
			_, err := helm(t.Context(), "template", name, dir, "--kube-version", versionForTemplates, "-f", valuesFile(c.values), "--set", c.set)
			require.Error(t, err)
			for _, words := range c.want {
				require.ErrorContains(t, err, words)
			}
		})
	}
}
