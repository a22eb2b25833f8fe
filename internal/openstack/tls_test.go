package openstack

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"io"
	"log"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/klog/v2"
	"k8s.io/klog/v2/textlogger"
)

// certificate makes a self-signed certificate for an address and returns it and its key in PEM form.
func certificate(t *testing.T, address string) (certificatePEM, keyPEM string) {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test cloud"},
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(time.Hour),
		IPAddresses: []net.IP{net.ParseIP(address)}, IsCA: true, BasicConstraintsValid: true,
		KeyUsage:    x509.KeyUsageDigitalSignature | x509.KeyUsageCertSign,
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth, x509.ExtKeyUsageClientAuth},
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	require.NoError(t, err)
	keyDER, err := x509.MarshalPKCS8PrivateKey(key)
	require.NoError(t, err)
	return string(pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})),
		string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: keyDER}))
}

// tlsCloud is a cloud behind TLS with the given settings.
func tlsCloud(t *testing.T, config *tls.Config) *cloud {
	t.Helper()
	return newCloud(t, func(h http.Handler) *httptest.Server {
		server := httptest.NewUnstartedServer(h)
		server.TLS = config
		server.Config.ErrorLog = log.New(io.Discard, "", 0)
		server.StartTLS()
		return server
	})
}

func TestCustomAuthority(t *testing.T) {
	certificatePEM, keyPEM := certificate(t, "127.0.0.1")
	pair, err := tls.X509KeyPair([]byte(certificatePEM), []byte(keyPEM))
	require.NoError(t, err)
	c := tlsCloud(t, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12})
	dir := t.TempDir()
	right := file(t, filepath.Join(dir, "ca.pem"), certificatePEM)
	otherPEM, _ := certificate(t, "127.0.0.1")
	wrong := file(t, filepath.Join(dir, "other.pem"), otherPEM)

	_, err = NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password)})
	require.ErrorContains(t, err, "ca-file", "the system's authorities don't know it")
	assert.False(t, IsUnavailable(err), "waiting does not help")
	_, err = NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password, "ca-file="+wrong)})
	require.ErrorContains(t, err, "ca-file")
	s, err := NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password, "ca-file="+right)})
	require.NoError(t, err)
	require.NoError(t, get(t.Context(), s, "stacks"))

	var logged bytes.Buffer
	logger := textlogger.NewLogger(textlogger.NewConfig(textlogger.Output(&logged)))
	_, err = NewSession(klog.NewContext(t.Context(), logger), Options{CloudConfig: c.conf(t, c.password, "tls-insecure=true")})
	require.NoError(t, err)
	assert.Contains(t, logged.String(), "certificates are not verified")
}

func TestOldTLSIsRefused(t *testing.T) {
	certificatePEM, keyPEM := certificate(t, "127.0.0.1")
	pair, err := tls.X509KeyPair([]byte(certificatePEM), []byte(keyPEM))
	require.NoError(t, err)
	c := tlsCloud(t, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS10, MaxVersion: tls.VersionTLS11})
	ca := file(t, filepath.Join(t.TempDir(), "ca.pem"), certificatePEM)
	_, err = NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password, "ca-file="+ca)})
	require.ErrorContains(t, err, "protocol version")
}

func TestClientCertificate(t *testing.T) {
	certificatePEM, keyPEM := certificate(t, "127.0.0.1")
	pair, err := tls.X509KeyPair([]byte(certificatePEM), []byte(keyPEM))
	require.NoError(t, err)
	pool := x509.NewCertPool()
	pool.AddCert(pair.Leaf)
	c := tlsCloud(t, &tls.Config{Certificates: []tls.Certificate{pair}, ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: pool, MinVersion: tls.VersionTLS12})
	dir := t.TempDir()
	ca, key := file(t, filepath.Join(dir, "ca.pem"), certificatePEM), file(t, filepath.Join(dir, "key.pem"), keyPEM)

	_, err = NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password, "ca-file="+ca)})
	require.Error(t, err)
	_, err = NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password, "ca-file="+ca, "cert-file="+ca, "key-file="+key)})
	require.NoError(t, err)
	_, err = NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password, "ca-file="+ca, "cert-file="+ca)})
	require.ErrorContains(t, err, "key-file")
}

func TestFilesThatHoldNoCertificate(t *testing.T) {
	c := plainCloud(t)
	nonsense := file(t, filepath.Join(t.TempDir(), "nonsense"), "not a certificate")
	for _, lines := range [][]string{{"ca-file=" + nonsense}, {"cert-file=" + nonsense, "key-file=" + nonsense}} {
		_, err := NewSession(t.Context(), Options{CloudConfig: c.conf(t, c.password, lines...)})
		require.ErrorContains(t, err, nonsense)
		require.ErrorContains(t, err, "PEM")
	}
}
