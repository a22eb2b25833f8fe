package tool_test

import (
	"bytes"
	"errors"
	"flag"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
	"k8s.io/klog/v2"
)

const secretsPath = "/api/v1/namespaces/kube-system/secrets"

// A file that has been replaced holds a credential that works, whatever happens to the Secret.
func TestACredentialThatSomebodyHasStays(t *testing.T) {
	s := newScene(t)
	file := filepath.Join(t.TempDir(), "least.yaml")
	require.NoError(t, os.WriteFile(file, []byte("what worked before"), 0o600))
	s.cluster.refusing = map[string]bool{secretsPath: true}
	code, _, errs := s.run("credential", "--file="+file, "--overwrite", "--secret=openstack", "-n", "kube-system", "--name=one")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "Secret kube-system/openstack")
	assert.Contains(t, errs, "stays, since it is in file "+file)
	text, err := os.ReadFile(file)
	require.NoError(t, err)
	s.signIn(text, "openstack")
	code, _, errs = s.run("scale", "workers", "3", "--dry-run")
	assert.Zero(t, code, errs)
}

func TestACredentialThatNobodyHasIsDeleted(t *testing.T) {
	s := newScene(t)
	s.cluster.refusing = map[string]bool{secretsPath: true}
	code, _, errs := s.run("credential", "--secret=openstack", "-n", "kube-system", "--name=one")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "is deleted again")
	assert.False(t, s.hasCredential("one"))

	code, errs = s.runTo(broken{}, "credential", "--show", "--name=two")
	assert.Equal(t, 1, code)
	assert.Contains(t, errs, "--show: nobody reads it")
	assert.Contains(t, errs, "is deleted again")
	assert.False(t, s.hasCredential("two"))
}

// hasCredential makes one of that name, which works only if there is none.
func (s *scene) hasCredential(name string) bool {
	s.Helper()
	code, _, errs := s.run("credential", "--show", "--name="+name)
	if code != 0 {
		assert.Contains(s, errs, "choose another --name")
	}
	return code != 0
}

// broken is an output that nobody reads.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("nobody reads it") }

// The Secret is written, and only the answer says that it is not.
func TestAnAnswerThatIsLostIsNoFailure(t *testing.T) {
	s := newScene(t)
	s.cluster.losing = map[string]bool{secretsPath: true}
	code, out, errs := s.run("credential", "--secret=openstack", "-n", "kube-system", "--name=one")
	assert.Zero(t, code, errs)
	assert.Contains(t, out, "Written to Secret kube-system/openstack")
	assert.True(t, s.hasCredential("one"))
}

// client-go logs the bodies of requests from verbosity 8 on, as text or as a dump.
func TestNoVerbosityShowsTheSecret(t *testing.T) {
	s := newScene(t)
	var flags flag.FlagSet
	klog.InitFlags(&flags)
	var log bytes.Buffer
	klog.LogToStderr(false)
	klog.SetOutput(&log)
	t.Cleanup(func() {
		klog.Flush()
		klog.SetOutput(os.Stderr)
		klog.LogToStderr(true)
		assert.NoError(t, flags.Set("v", "0"))
	})
	code, _, errs := s.run("credential", "--secret=openstack", "-n", "kube-system", "--name=one", "-v=10")
	klog.Flush()
	require.Zero(t, code, errs)
	assert.Contains(t, errs, "would show the secret")
	assert.Contains(t, log.String(), "Response", "it is a log of requests")
	assert.NotContains(t, log.String(), "Body")
}
