//go:build chart

package chart

import (
	"crypto/tls"
	"crypto/x509"
	"net"
	"testing"

	"github.com/stretchr/testify/require"
	v1 "k8s.io/api/core/v1"
)

// requireMutualTLS lets a server and a client with these certificates talk to each other.
func requireMutualTLS(t *testing.T, server, client *v1.Secret, host string) {
	t.Helper()
	pair := func(secret *v1.Secret) ([]tls.Certificate, *x509.CertPool) {
		certificate, err := tls.X509KeyPair(secret.Data["tls.crt"], secret.Data["tls.key"])
		require.NoError(t, err)
		pool := x509.NewCertPool()
		require.True(t, pool.AppendCertsFromPEM(secret.Data["ca.crt"]))
		return []tls.Certificate{certificate}, pool
	}
	serverCertificates, clientCA := pair(server)
	clientCertificates, serverCA := pair(client)
	one, other := net.Pipe()
	defer one.Close()
	defer other.Close()
	ended := make(chan error, 1)
	go func() {
		ended <- tls.Server(one, &tls.Config{Certificates: serverCertificates, ClientCAs: clientCA, ClientAuth: tls.RequireAndVerifyClientCert, MinVersion: tls.VersionTLS12}).HandshakeContext(t.Context())
	}()
	require.NoError(t, tls.Client(other, &tls.Config{Certificates: clientCertificates, RootCAs: serverCA, ServerName: host, MinVersion: tls.VersionTLS12}).HandshakeContext(t.Context()))
	require.NoError(t, <-ended)
}
