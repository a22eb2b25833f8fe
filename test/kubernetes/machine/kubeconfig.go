package machine

import (
	"path/filepath"
	"strings"

	"k8s.io/client-go/tools/clientcmd"
)

// moveIntoRoot makes the absolute paths inside a kubeconfig point below root, where the machine's files really are.
func moveIntoRoot(kubeconfig, root string) error {
	config, err := clientcmd.LoadFromFile(kubeconfig)
	if err != nil {
		return err
	}
	move := func(path *string) {
		if filepath.IsAbs(*path) && !strings.HasPrefix(*path, root) {
			*path = filepath.Join(root, *path)
		}
	}
	for _, cluster := range config.Clusters {
		move(&cluster.CertificateAuthority)
	}
	for _, user := range config.AuthInfos {
		move(&user.ClientCertificate)
		move(&user.ClientKey)
		move(&user.TokenFile)
	}
	return clientcmd.WriteToFile(*config, kubeconfig)
}
