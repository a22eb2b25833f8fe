package e2e_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"
	authenticationv1 "k8s.io/api/authentication/v1"
	v1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes/scheme"
	"k8s.io/client-go/tools/clientcmd"
	clientcmdapi "k8s.io/client-go/tools/clientcmd/api"

	"github.com/cluster-autoscaler-openstack/cluster-autoscaler-openstack/test/e2e/binaries"
)

// plugin builds the plugin once.
var plugin = sync.OnceValues(func() (string, error) {
	builder, err := binaries.New()
	if err != nil {
		return "", err
	}
	return builder.Plugin(context.Background())
})

// viewer is the file with the rights that the documentation gives to an operator.
const viewerManifest = "deploy/kubernetes/nodegroups-viewer.yaml"

// operator is somebody who uses the tool in a scene, with the rights of viewerManifest and no others.
type operator struct {
	s          *scene
	program    string
	kubeconfig string
	// arguments are those of all calls.
	arguments []string
	cloud     []string
}

// operator makes one. change may alter the rules before they are given.
func (s *scene) operator(name string, change func(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule) *operator {
	s.t.Helper()
	program, err := plugin()
	require.NoError(s.t, err)
	o := &operator{
		s: s, program: program, kubeconfig: filepath.Join(s.t.TempDir(), "operator.conf"), cloud: s.Cloud.Arguments,
		arguments: []string{
			"--autoscaler-namespace=" + s.Name, "--namespace=" + s.Name,
			fmt.Sprintf("--node-group-auto-discovery=heat:tag=cluster-autoscaler-enabled,tag=cluster=%s", s.Name),
		},
	}
	s.giveRights(name, change)
	client := base.Cluster.Client
	answer, err := client.CoreV1().ServiceAccounts(s.Name).CreateToken(s.t.Context(), name, &authenticationv1.TokenRequest{}, metav1.CreateOptions{})
	require.NoError(s.t, err)
	admin, err := clientcmd.LoadFromFile(base.Cluster.Kubeconfig)
	require.NoError(s.t, err)
	for _, context := range admin.Contexts {
		context.AuthInfo = name
	}
	admin.AuthInfos = map[string]*clientcmdapi.AuthInfo{name: {Token: answer.Status.Token}}
	require.NoError(s.t, clientcmd.WriteToFile(*admin, o.kubeconfig))
	return o
}

// giveRights makes an account with the rights of viewerManifest, whose Role is meant for the scene's namespace, and waits until it has them.
func (s *scene) giveRights(name string, change func(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule) {
	s.t.Helper()
	ctx, client, options := s.t.Context(), base.Cluster.Client, metav1.CreateOptions{}
	account, err := client.CoreV1().ServiceAccounts(s.Name).Create(ctx, &v1.ServiceAccount{ObjectMeta: metav1.ObjectMeta{Name: name}}, options)
	require.NoError(s.t, err)
	text, err := os.ReadFile(filepath.Join(base.Root, viewerManifest))
	require.NoError(s.t, err)
	if change == nil {
		change = func(rules []rbacv1.PolicyRule) []rbacv1.PolicyRule { return rules }
	}
	subjects := []rbacv1.Subject{{Kind: rbacv1.ServiceAccountKind, Name: name, Namespace: s.Name}}
	roles, given := 0, map[string][]rbacv1.PolicyRule{}
	for _, document := range strings.Split(string(text), "\n---\n") {
		object, _, err := scheme.Codecs.UniversalDeserializer().Decode(must(yaml.ToJSON([]byte(document))), nil, nil)
		require.NoError(s.t, err)
		unique := fmt.Sprintf("%s-%s-%d", s.Name, name, roles)
		ref := rbacv1.RoleRef{APIGroup: rbacv1.GroupName, Name: unique}
		switch object := object.(type) {
		case *rbacv1.ClusterRole:
			ref.Kind, object.Name, object.Rules = "ClusterRole", unique, change(object.Rules)
			_, err = client.RbacV1().ClusterRoles().Create(ctx, object, options)
			require.NoError(s.t, err)
			_, err = client.RbacV1().ClusterRoleBindings().Create(ctx, &rbacv1.ClusterRoleBinding{
				ObjectMeta: metav1.ObjectMeta{Name: unique}, RoleRef: ref, Subjects: subjects,
			}, options)
			given[""] = append(given[""], object.Rules...)
		case *rbacv1.Role:
			ref.Kind, object.Name, object.Namespace, object.Rules = "Role", unique, s.Name, change(object.Rules)
			_, err = client.RbacV1().Roles(s.Name).Create(ctx, object, options)
			require.NoError(s.t, err)
			_, err = client.RbacV1().RoleBindings(s.Name).Create(ctx, &rbacv1.RoleBinding{
				ObjectMeta: metav1.ObjectMeta{Name: unique}, RoleRef: ref, Subjects: subjects,
			}, options)
			given[s.Name] = append(given[s.Name], object.Rules...)
		default:
			err = fmt.Errorf("%T in %s", object, viewerManifest)
		}
		require.NoError(s.t, err)
		roles++
	}
	require.Equal(s.t, 3, roles)
	for namespace, rules := range given {
		require.NoError(s.t, base.Cluster.WaitForRights(ctx, account, namespace, rules))
	}
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}

// result is how a call of the tool ended.
type result struct {
	out, errs string
	code      int
}

// command is a call of the tool; it is not started yet.
func (o *operator) command(ctx context.Context, arguments ...string) *exec.Cmd {
	all := slices.Concat(arguments, []string{"--kubeconfig=" + o.kubeconfig}, o.arguments, o.cloud)
	command := exec.CommandContext(ctx, o.program, all...)
	command.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + o.s.t.TempDir()}
	return command
}

// runs a command of the tool to its end.
func (o *operator) run(arguments ...string) result {
	o.s.t.Helper()
	return finish(o.s.t, o.command(o.s.t.Context(), arguments...))
}

func finish(t *testing.T, command *exec.Cmd) result {
	t.Helper()
	var out, errs bytes.Buffer
	command.Stdout, command.Stderr = &out, &errs
	err := command.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		require.NoError(t, err)
	}
	return result{out.String(), errs.String(), command.ProcessState.ExitCode()}
}

// ok is run for a command that succeeds.
func (o *operator) ok(arguments ...string) result {
	o.s.t.Helper()
	r := o.run(arguments...)
	require.Zero(o.s.t, r.code, "%s\n%s\n%s", strings.Join(arguments, " "), r.out, r.errs)
	return r
}

// explanation is what why prints, as far as tests look at it.
type explanation struct {
	APIVersion, Kind, State, Summary string
	Reasons                          []reason
	NodeGroups                       []struct {
		Name          string
		Fits, CanGrow bool
		Obstacles     []reason
	}
	Said []struct{ From, Reason, Message string }
}

type reason struct {
	Code, Text, Remedy string
	NodeGroups         []string
}

func (x *explanation) codes() []string {
	codes := make([]string, 0, len(x.Reasons))
	for _, r := range x.Reasons {
		codes = append(codes, r.Code)
	}
	return codes
}

// why asks until the most likely reason has this code, as what it is about takes its time, and says in words what it found.
func (o *operator) why(subject, code, text string) *explanation {
	o.s.t.Helper()
	var x *explanation
	var human result
	o.s.until(fmt.Sprintf("why %s to be told: %s", subject, code), func(context.Context) error {
		r := o.run("why", subject, "-o", "json")
		if r.code != 0 {
			return fmt.Errorf("exit code %d: %s", r.code, r.errs)
		}
		x = &explanation{}
		if err := json.Unmarshal([]byte(r.out), x); err != nil {
			return err
		}
		if len(x.Reasons) == 0 || x.Reasons[0].Code != code || !strings.Contains(x.Reasons[0].Text, text) {
			return fmt.Errorf("it says: %s", r.out)
		}
		// What is true may be another thing a moment later.
		if human = o.run("why", subject); !strings.Contains(human.out, code) {
			return fmt.Errorf("in words it says: %s%s", human.out, human.errs)
		}
		return nil
	})
	require.Zero(o.s.t, human.code, human.errs)
	require.NotEmpty(o.s.t, x.Reasons[0].Remedy)
	require.Contains(o.s.t, human.out, "Remedy: ")
	o.s.t.Logf("why %s\n%s%s", subject, human.out, human.errs)
	return x
}

// podOf is the only pod of a workload.
func (s *scene) podOf(workload string) string {
	s.t.Helper()
	var name string
	s.until("a pod of "+workload, func(ctx context.Context) error {
		pods, err := s.Pods(ctx, workload)
		if err == nil && len(pods) != 1 {
			err = fmt.Errorf("%d pods", len(pods))
		}
		if err == nil {
			name = pods[0].Name
		}
		return err
	})
	return name
}
