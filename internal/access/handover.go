package access

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	v1 "k8s.io/api/core/v1"
	apierrors "k8s.io/apimachinery/pkg/api/errors"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/client-go/kubernetes"
	"sigs.k8s.io/yaml"
)

// cloudEntry is the name of the only entry of a clouds.yaml that is written; the Helm chart's default for openstack.cloud.
const cloudEntry = "openstack"

// CloudConfKey is the key of the Secret that is written: what the Helm chart and deploy/kubernetes mount.
const CloudConfKey = "cloud.conf"

// CloudsYAML is a clouds.yaml with one entry, openstack. The secret is in it.
func (c *Credential) CloudsYAML() ([]byte, error) {
	type auth struct {
		URL    string `json:"auth_url"`
		ID     string `json:"application_credential_id"`
		Secret string `json:"application_credential_secret"`
	}
	type entry struct {
		Type      string `json:"auth_type"`
		Auth      auth   `json:"auth"`
		Region    string `json:"region_name,omitempty"`
		Interface string `json:"interface,omitempty"`
		CACert    string `json:"cacert,omitempty"`
		Verify    *bool  `json:"verify,omitempty"`
		Version   int    `json:"identity_api_version"`
	}
	e := entry{
		Type: "v3applicationcredential", Auth: auth{c.login.AuthURL, c.ID, *c.secret}, Region: c.login.Region, Interface: c.login.Interface,
		CACert: c.login.CAFile, Version: 3,
	}
	if c.login.Insecure {
		e.Verify = new(bool)
	}
	return yaml.Marshal(map[string]any{"clouds": map[string]entry{cloudEntry: e}})
}

// CloudConf is a cloud.conf. The secret is in it. Authorities of one's own are not: the file is for a pod, which has no such path.
func (c *Credential) CloudConf() []byte {
	var out strings.Builder
	out.WriteString("[Global]\n")
	for _, line := range [][2]string{
		{"auth-url", c.login.AuthURL}, {"application-credential-id", c.ID}, {"application-credential-secret", *c.secret},
		{"region", c.login.Region}, {"os-endpoint-type", c.login.Interface},
	} {
		if line[1] != "" {
			value := strings.NewReplacer(`\`, `\\`, `"`, `\"`).Replace(line[1])
			fmt.Fprintf(&out, "%s = \"%s\"\n", line[0], value)
		}
	}
	if c.login.Insecure {
		out.WriteString("tls-insecure = true\n")
	}
	return []byte(out.String())
}

// CheckFile says whether a file may be written: before the credential is made, so that none is left over.
func CheckFile(path string, overwrite bool) error {
	_, err := os.Lstat(path)
	switch {
	case err == nil && !overwrite:
		return fmt.Errorf("%s exists; give --overwrite, or another name", path)
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return err
	}
	folder := filepath.Dir(path)
	if info, err := os.Stat(folder); err != nil || !info.IsDir() {
		return fmt.Errorf("%s is no folder; make it first", folder)
	}
	return nil
}

// WriteFile writes a file that only its owner can read, whole or not at all.
func WriteFile(path string, content []byte) error {
	file, err := os.CreateTemp(filepath.Dir(path), "."+filepath.Base(path)+"-*") // mode 0600
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(file.Name()) }() // in vain if it has been renamed
	_, err = file.Write(content)
	if err := errors.Join(err, file.Sync(), file.Close()); err != nil {
		return err
	}
	return os.Rename(file.Name(), path)
}

// CheckSecret says whether the Secret may be written, by a dry run.
func CheckSecret(ctx context.Context, client kubernetes.Interface, namespace, name string) error {
	return writeSecret(ctx, client, namespace, name, []byte("[Global]\n"), []string{metav1.DryRunAll})
}

// WriteSecret puts the credential into the Secret, as cloud.conf. Of a Secret that is there the other keys stay.
func WriteSecret(ctx context.Context, client kubernetes.Interface, namespace, name string, c *Credential) error {
	return writeSecret(ctx, client, namespace, name, c.CloudConf(), nil)
}

func writeSecret(ctx context.Context, client kubernetes.Interface, namespace, name string, content []byte, dryRun []string) error {
	secrets := client.CoreV1().Secrets(namespace)
	found, err := secrets.Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		secret := &v1.Secret{ObjectMeta: metav1.ObjectMeta{Namespace: namespace, Name: name}, Data: map[string][]byte{CloudConfKey: content}}
		_, err = secrets.Create(ctx, secret, metav1.CreateOptions{DryRun: dryRun})
	case err == nil:
		changed := found.DeepCopy()
		if changed.Data == nil {
			changed.Data = map[string][]byte{}
		}
		changed.Data[CloudConfKey] = content
		_, err = secrets.Update(ctx, changed, metav1.UpdateOptions{DryRun: dryRun})
	}
	if err != nil {
		return fmt.Errorf("Secret %s/%s: %w", namespace, name, err) //nolint:staticcheck // a kind's name
	}
	return nil
}

// SecretHolds says whether the Secret holds the credential: a write may have been done although its answer is an error.
func SecretHolds(ctx context.Context, client kubernetes.Interface, namespace, name string, c *Credential) (bool, error) {
	found, err := client.CoreV1().Secrets(namespace).Get(ctx, name, metav1.GetOptions{})
	switch {
	case apierrors.IsNotFound(err):
		return false, nil
	case err != nil:
		return false, fmt.Errorf("reading Secret %s/%s: %w", namespace, name, err)
	}
	return bytes.Equal(found.Data[CloudConfKey], c.CloudConf()), nil
}
