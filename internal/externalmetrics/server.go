package externalmetrics

import (
	"context"
	"fmt"
	"net"

	"github.com/spf13/pflag"
	"sigs.k8s.io/custom-metrics-apiserver/pkg/cmd"
	"sigs.k8s.io/custom-metrics-apiserver/pkg/cmd/options"
)

// Options are those of the server.
type Options struct {
	// Listener is where it answers, with TLS. It is closed with the server.
	Listener net.Listener
	// CertFile and KeyFile are its certificate, read again when they change. Without them it makes one that nobody can check;
	// the APIService then needs insecureSkipTLSVerify.
	CertFile, KeyFile string
	// Kubeconfig reaches the API server that says who asks (TokenReview, and the ConfigMap
	// extension-apiserver-authentication) and may (SubjectAccessReview). Empty: that of the pod's service account.
	Kubeconfig string
}

// Run serves until ctx ends. An error means that the server could not start.
func Run(ctx context.Context, loads Loads, o Options) error {
	if (o.CertFile == "") != (o.KeyFile == "") {
		return fmt.Errorf("external metrics: a certificate needs its key and the other way round; the certificate is %q, the key %q", o.CertFile, o.KeyFile)
	}
	settings := options.NewCustomMetricsAdapterServerOptions()
	settings.SecureServing.Listener = o.Listener
	// In memory: nothing is written.
	settings.SecureServing.ServerCert.CertDirectory = ""
	settings.SecureServing.ServerCert.CertKey.CertFile, settings.SecureServing.ServerCert.CertKey.KeyFile = o.CertFile, o.KeyFile
	settings.Authentication.RemoteKubeConfigFile = o.Kubeconfig
	settings.Authorization.RemoteKubeConfigFile = o.Kubeconfig
	settings.Features.EnableProfiling = false
	// Its metrics would be those of the whole program once more.
	settings.EnableMetrics = false
	adapter := &cmd.AdapterBase{
		CustomMetricsAdapterServerOptions: settings, Name: "cluster-autoscaler-openstack",
		RemoteKubeConfigFile: o.Kubeconfig,
		// The program's own flags are others.
		FlagSet: pflag.NewFlagSet("external-metrics", pflag.ContinueOnError),
	}
	adapter.WithExternalMetrics(NewProvider(loads))
	if err := adapter.Run(ctx); err != nil {
		return fmt.Errorf("external metrics: %w", err)
	}
	return nil
}
