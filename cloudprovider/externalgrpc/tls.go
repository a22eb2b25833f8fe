package externalgrpc

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"

	"google.golang.org/grpc/credentials"
	"google.golang.org/grpc/credentials/insecure"
	"k8s.io/apiserver/pkg/server/dynamiccertificates"
)

// errPlaintext: whoever reaches the port could order servers.
var errPlaintext = errors.New("without certificates only an address on the loopback interface can be served, such as 127.0.0.1:8086: " +
	"give a certificate, its key and the CA of the clients, or listen on loopback in the same pod")

// transport returns how clients are spoken to at address: mutual TLS, or plaintext on loopback. Files are read again when they
// change, until ctx ends; files that can't be read now are an error.
func (l *Listen) transport(ctx context.Context) (credentials.TransportCredentials, error) {
	given := 0
	for _, file := range []string{l.CertFile, l.KeyFile, l.ClientCAFile} {
		if file != "" {
			given++
		}
	}
	switch given {
	case 0:
		if !onLoopback(l.Address) {
			return nil, fmt.Errorf("%s: %w", l.Address, errPlaintext)
		}
		return insecure.NewCredentials(), nil
	case 3:
		return mutualTLS(ctx, l.CertFile, l.KeyFile, l.ClientCAFile)
	}
	return nil, errors.New("TLS needs all three of a certificate, its key and the CA of the clients: stock clients know no TLS without a client certificate")
}

// onLoopback says whether only this machine (or pod) reaches an address.
func onLoopback(address string) bool {
	host, _, err := net.SplitHostPort(address)
	if err != nil {
		return false
	}
	if host == "localhost" {
		return true
	}
	ip := net.ParseIP(host)
	return ip != nil && ip.IsLoopback()
}

// mutualTLS returns transport credentials that follow their files.
func mutualTLS(ctx context.Context, certFile, keyFile, caFile string) (credentials.TransportCredentials, error) {
	serving, err := dynamiccertificates.NewDynamicServingContentFromFiles("serving", certFile, keyFile)
	if err != nil {
		return nil, fmt.Errorf("the certificate %s with the key %s: %w", certFile, keyFile, err)
	}
	clients, err := dynamiccertificates.NewDynamicCAContentFromFile("clients", caFile)
	if err != nil {
		return nil, fmt.Errorf("the clients' CA %s: %w", caFile, err)
	}
	base := &tls.Config{MinVersion: tls.VersionTLS12, ClientAuth: tls.RequireAndVerifyClientCert, NextProtos: []string{"h2"}}
	controller := dynamiccertificates.NewDynamicServingCertificateController(base, clients, serving, nil, nil)
	serving.AddListener(controller)
	clients.AddListener(controller)
	if err := controller.RunOnce(); err != nil {
		return nil, fmt.Errorf("the certificates %s and %s: %w", certFile, caFile, err)
	}
	go serving.Run(ctx, 1)
	go clients.Run(ctx, 1)
	go controller.Run(1, ctx.Done())
	config := base.Clone()
	config.GetConfigForClient = controller.GetConfigForClient
	return credentials.NewTLS(config), nil
}
