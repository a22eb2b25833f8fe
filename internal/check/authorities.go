package check

import (
	"context"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"net/http"
	"os"
	"time"
)

// checkAuthorities looks how long the cloud's certificate will be trusted. A file of authorities may hold many that have nothing to do
// with this cloud, some of them long over: those by which its certificate is trusted count.
func (w *World) checkAuthorities(ctx context.Context, path string, f *findings) {
	all, err := readAuthorities(path)
	if err != nil {
		f.fail("TLS", "make it readable", "the authorities in %s can't be read: %v", path, err)
		return
	}
	const remedy = "ask the cloud's operator for the next one"
	if used, err := w.usedAuthorities(ctx); err == nil && len(used) > 0 {
		c := firstToEnd(used)
		f.expiry(fmt.Sprintf("TLS, authority %s of %s", c.Subject.CommonName, path), c.NotAfter, w.now(), remedy)
		return
	}
	switch last := lastToEnd(all); {
	case last == nil:
		f.fail("TLS", "write the authorities' certificates into it (PEM)", "there is no certificate in %s", path)
	case len(all) > 1:
		f.expiry(fmt.Sprintf("TLS, the last of %d authorities of %s", len(all), path), last.NotAfter, w.now(), remedy)
	default:
		f.expiry(fmt.Sprintf("TLS, authority %s of %s", last.Subject.CommonName, path), last.NotAfter, w.now(), remedy)
	}
}

// readAuthorities reads the certificates of a PEM file. What it does not understand in it is left out, as by crypto/x509.
func readAuthorities(path string) ([]*x509.Certificate, error) {
	content, err := os.ReadFile(path) //nolint:gosec // the path is that of the credentials
	if err != nil {
		return nil, err
	}
	var all []*x509.Certificate
	for {
		var block *pem.Block
		if block, content = pem.Decode(content); block == nil {
			return all, nil
		}
		if certificate, err := x509.ParseCertificate(block.Bytes); err == nil {
			all = append(all, certificate)
		}
	}
}

// usedAuthorities are those by which Keystone's certificate is trusted now; of several ways of trust, those of the one that lasts longest.
func (w *World) usedAuthorities(ctx context.Context) ([]*x509.Certificate, error) {
	client, err := w.Session.Identity(ctx)
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, client.Endpoint, http.NoBody)
	if err != nil {
		return nil, err
	}
	answer, err := client.ProviderClient.HTTPClient.Do(request)
	if err != nil {
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.TLS == nil {
		return nil, nil
	}
	var used []*x509.Certificate
	var end time.Time
	for _, chain := range answer.TLS.VerifiedChains {
		if len(chain) > 1 {
			chain = chain[1:] // the server's own certificate is renewed by itself
		}
		if until := firstToEnd(chain).NotAfter; until.After(end) {
			used, end = chain, until
		}
	}
	return used, nil
}

func firstToEnd(all []*x509.Certificate) *x509.Certificate {
	return pick(all, func(a, b *x509.Certificate) bool { return a.NotAfter.Before(b.NotAfter) })
}

func lastToEnd(all []*x509.Certificate) *x509.Certificate {
	return pick(all, func(a, b *x509.Certificate) bool { return a.NotAfter.After(b.NotAfter) })
}

// pick is the one that comes before all others, nil of none.
func pick(all []*x509.Certificate, before func(a, b *x509.Certificate) bool) *x509.Certificate {
	var best *x509.Certificate
	for _, c := range all {
		if best == nil || before(c, best) {
			best = c
		}
	}
	return best
}
