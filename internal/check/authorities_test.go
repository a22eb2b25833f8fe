package check_test

import (
	"bytes"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/internal/check"
)

// authority is one that signs certificates.
type authority struct {
	*x509.Certificate
	key *ecdsa.PrivateKey
}

func newAuthority(t *testing.T, name string, left time.Duration) authority {
	t.Helper()
	return sign(t, &x509.Certificate{
		Subject: pkix.Name{CommonName: name}, NotBefore: time.Now().Add(-1000 * time.Hour), NotAfter: time.Now().Add(left),
		IsCA: true, BasicConstraintsValid: true, KeyUsage: x509.KeyUsageCertSign,
	}, authority{})
}

func sign(t *testing.T, template *x509.Certificate, by authority) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	require.NoError(t, err)
	if by.key == nil {
		by = authority{template, key}
	}
	template.SerialNumber = big.NewInt(1)
	raw, err := x509.CreateCertificate(rand.Reader, template, by.Certificate, &key.PublicKey, by.key)
	require.NoError(t, err)
	certificate, err := x509.ParseCertificate(raw)
	require.NoError(t, err)
	return authority{certificate, key}
}

// behindTLS puts the cloud's Keystone behind a certificate of an authority, and the authorities into the file of the credentials.
func (s *scene) behindTLS(by authority, others ...authority) {
	s.Helper()
	target, err := url.Parse(s.sim.AuthURL())
	require.NoError(s, err)
	target.Path = ""
	server := httptest.NewUnstartedServer(httputil.NewSingleHostReverseProxy(target))
	own := sign(s.T, &x509.Certificate{
		Subject: pkix.Name{CommonName: "keystone"}, NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(48 * time.Hour),
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, KeyUsage: x509.KeyUsageDigitalSignature, ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth},
	}, by)
	server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{own.Raw}, PrivateKey: own.key}}, MinVersion: tls.VersionTLS12}
	server.StartTLS()
	s.Cleanup(server.Close)
	var bundle bytes.Buffer
	for _, a := range append([]authority{by}, others...) {
		require.NoError(s, pem.Encode(&bundle, &pem.Block{Type: "CERTIFICATE", Bytes: a.Raw}))
	}
	file := filepath.Join(s.TempDir(), "authorities.pem")
	require.NoError(s, os.WriteFile(file, bundle.Bytes(), 0o600))
	s.login = strings.Replace(s.login, "http://"+target.Host, server.URL, 1)
	s.login = strings.Replace(s.login, "    auth:", "    cacert: "+file+"\n    auth:", 1)
}

// A file of authorities is often the system's, with some that are over and none of the cloud's business.
func TestOnlyTheCloudsAuthoritiesCount(t *testing.T) {
	const year = 365 * 24 * time.Hour
	over, good := newAuthority(t, "over", -24*time.Hour), newAuthority(t, "good", 10*year)
	for _, one := range []struct {
		left   time.Duration
		status check.Status
		text   string
	}{
		{year, check.OK, "in 36"},
		{20*24*time.Hour + time.Hour, check.Warn, "in 20 days"},
		{25 * time.Hour, check.Fail, "in 25h"},
	} {
		s := newScene(t, goodTemplate)
		s.behindTLS(newAuthority(t, "cloud", one.left), over, good)
		var tls []check.Finding
		for _, f := range s.run("credentials") {
			if strings.HasPrefix(f.Thing, "TLS") {
				tls = append(tls, f)
			}
		}
		assert.Len(t, tls, 1, show(tls))
		assert.True(t, has(tls, "credentials", one.status, "authority cloud", one.text), show(tls))
	}
}
