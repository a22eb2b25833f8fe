package externalgrpc

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"fmt"
	"math/big"
	"net"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/stretchr/testify/require"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	healthv1 "google.golang.org/grpc/health/grpc_health_v1"
	reflectionv1 "google.golang.org/grpc/reflection/grpc_reflection_v1"
	"k8s.io/autoscaler/cluster-autoscaler/cloudprovider/externalgrpc/protos"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/cloudprovider"
	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups"
	fake "github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/nodegroups/nodegroupstest"
)

// authority makes certificates.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T, name string) *authority {
	t.Helper()
	a := &authority{}
	a.key, a.cert = certify(t, nil, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	})
	return a
}

// certify makes a certificate for an hour, signed by ca, or by itself.
func certify(t *testing.T, ca *authority, template *x509.Certificate) (*ecdsa.PrivateKey, *x509.Certificate) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template.SerialNumber = big.NewInt(time.Now().UnixNano())
	template.NotBefore, template.NotAfter = time.Now().Add(-time.Minute), time.Now().Add(time.Hour)
	parent, signer := template, key
	if ca != nil {
		parent, signer = ca.cert, ca.key
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, key.Public(), signer)
	require.NoError(t, err)
	cert, err := x509.ParseCertificate(der)
	require.NoError(t, err)
	return key, cert
}

// write puts a leaf of this authority into folder/name.crt and .key.
func (a *authority) write(t *testing.T, folder, name string) (certFile, keyFile string) {
	t.Helper()
	key, cert := certify(t, a, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	})
	der, err := x509.MarshalECPrivateKey(key)
	require.NoError(t, err)
	certFile, keyFile = filepath.Join(folder, name+".crt"), filepath.Join(folder, name+".key")
	writePEM(t, certFile, "CERTIFICATE", cert.Raw)
	writePEM(t, keyFile, "EC PRIVATE KEY", der)
	return certFile, keyFile
}

func writePEM(t *testing.T, file, kind string, der []byte) {
	t.Helper()
	require.NoError(t, os.WriteFile(file, pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: der}), 0o600))
}

// listen serves one group over l, until the test ends, and returns the address.
func listen(t *testing.T, l Listen) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	provider, err := cloudprovider.New(ctx, nodegroups.NewManager(fake.NewStacks(fake.Stack("a", 1)), nil, nodegroups.ManagerOptions{}),
		cloudprovider.Options{Template: templateOf})
	require.NoError(t, err)
	ended, listening := make(chan error, 1), make(chan string, 1)
	go func() {
		ended <- New(ctx, provider, Options{}).Serve(ctx, l, func(a net.Addr) { listening <- a.String() })
	}()
	t.Cleanup(func() {
		cancel()
		require.NoError(t, <-ended)
	})
	return <-listening
}

func TestMutualTLSWithTheStockClient(t *testing.T) {
	folder := t.TempDir()
	ca, strangers := newAuthority(t, "ca"), newAuthority(t, "strangers")
	caFile := filepath.Join(folder, "ca.crt")
	writePEM(t, caFile, "CERTIFICATE", ca.cert.Raw)
	l := Listen{Address: "127.0.0.1:0", ClientCAFile: caFile}
	l.CertFile, l.KeyFile = ca.write(t, folder, "server")
	address := listen(t, l)

	certFile, keyFile := ca.write(t, folder, "client")
	cloudConfig := func(cert, key string) string {
		return fmt.Sprintf("address: %s\ncert: %s\nkey: %s\ncacert: %s\n", address, cert, key, caFile)
	}
	require.NoError(t, stock(t, cloudConfig(certFile, keyFile)).Refresh())
	foreignCert, foreignKey := strangers.write(t, folder, "stranger")
	require.Error(t, stock(t, cloudConfig(foreignCert, foreignKey)).Refresh(), "a client of another CA")

	// Without a certificate, and in plaintext.
	pool := x509.NewCertPool()
	pool.AddCert(ca.cert)
	for name, transport := range map[string]credentials.TransportCredentials{
		"no certificate": credentials.NewTLS(&tls.Config{RootCAs: pool, MinVersion: tls.VersionTLS12}), "plaintext": insecure.NewCredentials(),
	} {
		connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(transport))
		require.NoError(t, err)
		_, err = protos.NewCloudProviderClient(connection).GPULabel(t.Context(), &protos.GPULabelRequest{})
		require.Error(t, err, name)
		require.NoError(t, connection.Close())
	}
}

// update replaces the files of a folder as the kubelet does for a Secret: they are links into a link to a folder, which is changed at once.
func update(t *testing.T, folder string, files func(folder string)) {
	t.Helper()
	next := filepath.Join(folder, fmt.Sprintf("..version-%d", time.Now().UnixNano()))
	require.NoError(t, os.Mkdir(next, 0o700))
	files(next)
	old, _ := os.Readlink(filepath.Join(folder, "..data"))
	require.NoError(t, os.Symlink(filepath.Base(next), filepath.Join(folder, "..new")))
	require.NoError(t, os.Rename(filepath.Join(folder, "..new"), filepath.Join(folder, "..data")))
	entries, err := os.ReadDir(next)
	require.NoError(t, err)
	for _, entry := range entries {
		if link := filepath.Join(folder, entry.Name()); old == "" {
			require.NoError(t, os.Symlink(filepath.Join("..data", entry.Name()), link))
		}
	}
	if old != "" {
		require.NoError(t, os.RemoveAll(filepath.Join(folder, old)))
	}
}

func TestCertificatesAreReadAgain(t *testing.T) {
	folder, clients := t.TempDir(), t.TempDir()
	secretOf := func(ca *authority) func(string) {
		return func(folder string) {
			ca.write(t, folder, "server")
			writePEM(t, filepath.Join(folder, "ca.crt"), "CERTIFICATE", ca.cert.Raw)
		}
	}
	first := newAuthority(t, "ca")
	update(t, folder, secretOf(first))
	in := func(name string) string { return filepath.Join(folder, name) }
	address := listen(t, Listen{Address: "127.0.0.1:0", ClientCAFile: in("ca.crt"), CertFile: in("server.crt"), KeyFile: in("server.key")})

	next := newAuthority(t, "next ca")
	ask := func(of *authority, name string) error {
		certFile, keyFile := of.write(t, clients, name)
		cert, err := tls.LoadX509KeyPair(certFile, keyFile)
		require.NoError(t, err)
		pool := x509.NewCertPool()
		pool.AddCert(of.cert)
		connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(credentials.NewTLS(&tls.Config{
			RootCAs: pool, Certificates: []tls.Certificate{cert}, MinVersion: tls.VersionTLS12,
		})))
		require.NoError(t, err)
		defer func() { require.NoError(t, connection.Close()) }()
		_, err = protos.NewCloudProviderClient(connection).GPULabel(t.Context(), &protos.GPULabelRequest{})
		return err
	}
	require.NoError(t, ask(first, "old"))
	require.Error(t, ask(next, "new"))
	update(t, folder, secretOf(next))
	eventually(t, "the new certificates hold", func() bool { return ask(next, "new") == nil })
	require.Error(t, ask(first, "old"), "and the old ones no longer")

	// Mostly only the server's own one is renewed.
	shown := func() *big.Int {
		certFile, keyFile := next.write(t, clients, "new")
		cert, err := tls.LoadX509KeyPair(certFile, keyFile)
		require.NoError(t, err)
		pool := x509.NewCertPool()
		pool.AddCert(next.cert)
		dialer := tls.Dialer{Config: &tls.Config{RootCAs: pool, Certificates: []tls.Certificate{cert}, NextProtos: []string{"h2"}, MinVersion: tls.VersionTLS12}}
		connection, err := dialer.DialContext(t.Context(), "tcp", address)
		require.NoError(t, err)
		defer func() { require.NoError(t, connection.Close()) }()
		return connection.(*tls.Conn).ConnectionState().PeerCertificates[0].SerialNumber
	}
	before := shown()
	require.Equal(t, before, shown())
	update(t, folder, secretOf(next))
	eventually(t, "the renewed certificate is shown", func() bool { return before.Cmp(shown()) != 0 })
}

func TestPlaintextOnLoopbackOnly(t *testing.T) {
	s := New(t.Context(), nil, Options{})
	for _, address := range []string{"0.0.0.0:0", ":0", "[::]:0", "10.0.0.1:0", "example.org:0", "nonsense"} {
		require.ErrorIs(t, s.Serve(t.Context(), Listen{Address: address}, nil), errPlaintext, address)
	}
	for _, address := range []string{"127.0.0.1:1", "localhost:1", "[::1]:1", "127.8.9.10:1"} {
		require.True(t, onLoopback(address), address)
	}
	require.ErrorContains(t, s.Serve(t.Context(), Listen{Address: "127.0.0.1:0", CertFile: "x"}, nil), "all three")
	missing := filepath.Join(t.TempDir(), "missing")
	require.ErrorContains(t, s.Serve(t.Context(), Listen{Address: "127.0.0.1:0", CertFile: missing, KeyFile: missing, ClientCAFile: missing}, nil), missing)
}

func TestHealthMetricsAndReflection(t *testing.T) {
	registry := prometheus.NewRegistry()
	address := listen(t, Listen{Address: "127.0.0.1:0", Registerer: registry})
	connection, err := grpc.NewClient(address, grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { require.NoError(t, connection.Close()) }()
	for _, service := range []string{"", "clusterautoscaler.cloudprovider.v1.externalgrpc.CloudProvider"} {
		health, err := healthv1.NewHealthClient(connection).Check(t.Context(), &healthv1.HealthCheckRequest{Service: service})
		require.NoError(t, err)
		require.Equal(t, healthv1.HealthCheckResponse_SERVING, health.GetStatus())
	}
	_, err = protos.NewCloudProviderClient(connection).GPULabel(t.Context(), &protos.GPULabelRequest{})
	require.NoError(t, err)
	require.InDelta(t, 1, values(t, registry, "grpc_server_handled_total", "GPULabel")["OK"], 0)
	require.InDelta(t, 1, values(t, registry, "grpc_server_handling_seconds", "GPULabel")[""], 0)

	reflects := func(connection *grpc.ClientConn) error {
		stream, err := reflectionv1.NewServerReflectionClient(connection).ServerReflectionInfo(t.Context())
		require.NoError(t, err)
		_ = stream.Send(&reflectionv1.ServerReflectionRequest{MessageRequest: &reflectionv1.ServerReflectionRequest_ListServices{}})
		_, err = stream.Recv()
		return err
	}
	require.Error(t, reflects(connection), "off by default")
	open, err := grpc.NewClient(listen(t, Listen{Address: "127.0.0.1:0", Reflection: true}), grpc.WithTransportCredentials(insecure.NewCredentials()))
	require.NoError(t, err)
	defer func() { require.NoError(t, open.Close()) }()
	require.NoError(t, reflects(open))
}
