package openstack

import (
	"crypto/tls"
	"crypto/x509"
	"fmt"
	"net"
	"net/http"
	"time"
)

// tlsFiles is what the credentials say of TLS, already read.
type tlsFiles struct {
	// authorities replace the system's; nil keeps the system's.
	authorities  *x509.CertPool
	certificates []tls.Certificate
	insecure     bool
}

func readTLS(files *files, l *login) (tlsFiles, error) {
	result := tlsFiles{insecure: l.insecure}
	if l.caFile != "" {
		content, err := files.read(l.caFile)
		if err != nil {
			return tlsFiles{}, err
		}
		result.authorities = x509.NewCertPool()
		if !result.authorities.AppendCertsFromPEM(content) {
			return tlsFiles{}, &LoginError{Source: l.caFile, Problem: "the file holds no certificate", Remedy: "put the certificates of the cloud's authority there, in PEM form"}
		}
	}
	if (l.certFile == "") != (l.keyFile == "") {
		return tlsFiles{}, l.wrong("only one of the client certificate and its key is given", "give both cert-file and key-file, or none")
	}
	if l.certFile == "" {
		return result, nil
	}
	certificate, err := files.read(l.certFile)
	if err != nil {
		return tlsFiles{}, err
	}
	key, err := files.read(l.keyFile)
	if err != nil {
		return tlsFiles{}, err
	}
	pair, err := tls.X509KeyPair(certificate, key)
	if err != nil {
		return tlsFiles{}, &LoginError{
			Source: fmt.Sprintf("%s and %s", l.certFile, l.keyFile), Problem: "they are no certificate and its key", Cause: err,
			Remedy: "put both there in PEM form",
		}
	}
	result.certificates = []tls.Certificate{pair}
	return result, nil
}

// newHTTPTransport makes the connections. Its deadlines are for the parts of a request; the whole of it is bounded above.
func newHTTPTransport(t tlsFiles) *http.Transport {
	dialer := &net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	return &http.Transport{
		Proxy:       http.ProxyFromEnvironment,
		DialContext: dialer.DialContext,
		TLSClientConfig: &tls.Config{
			MinVersion:         tls.VersionTLS12,
			RootCAs:            t.authorities,
			Certificates:       t.certificates,
			InsecureSkipVerify: t.insecure, //nolint:gosec // off unless the operator asks for it; a warning is logged then
		},
		TLSHandshakeTimeout: 10 * time.Second,
		ForceAttemptHTTP2:   true,
		MaxIdleConns:        64,
		MaxIdleConnsPerHost: 16,
		IdleConnTimeout:     90 * time.Second,
	}
}
