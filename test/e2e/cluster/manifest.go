package cluster

import (
	"bufio"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	appsv1 "k8s.io/api/apps/v1"
	batchv1 "k8s.io/api/batch/v1"
	v1 "k8s.io/api/core/v1"
	rbacv1 "k8s.io/api/rbac/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/util/yaml"
	"k8s.io/client-go/kubernetes"
	"k8s.io/client-go/kubernetes/scheme"
)

// manifest is what users apply to a cluster (deploy/kubernetes), without the Deployment: tests run the program themselves, as
// the same service account, so that the rules in it are known to be enough.
type manifest struct {
	objects []metav1.Object
	// account is the autoscaler's service account.
	account *v1.ServiceAccount
	// own are the Roles and RoleBindings of the account in its namespace that concern the namespace the autoscaler works in,
	// by its flag --namespace.
	own []metav1.Object
}

// readManifest reads the autoscaler's file.
func readManifest(path string) (*manifest, error) {
	m, err := readRules(path)
	if err != nil {
		return nil, err
	}
	m.findOwn()
	if m.account == nil || len(m.own) != 2 {
		return nil, fmt.Errorf("%s: no ServiceAccount with a Role and a RoleBinding of its name", path)
	}
	return m, nil
}

// readRules reads a file. Anything in it that is not known here is an error: a cluster without it would prove nothing.
func readRules(path string) (*manifest, error) {
	text, err := os.ReadFile(path) //nolint:gosec // the repository's own file
	if err != nil {
		return nil, err
	}
	m := &manifest{}
	documents := yaml.NewYAMLReader(bufio.NewReader(bytes.NewReader(text)))
	for {
		document, err := documents.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
		if err := m.add(document); err != nil {
			return nil, fmt.Errorf("%s: %w", path, err)
		}
	}
	return m, nil
}

func (m *manifest) add(document []byte) error {
	var meta metav1.TypeMeta
	if err := yaml.Unmarshal(document, &meta); err != nil {
		return err
	}
	switch meta.Kind {
	case "Service", "APIService": // no pod runs here that they could lead to: tests make their own
		return nil
	}
	object, kind, err := scheme.Codecs.UniversalDeserializer().Decode(document, nil, nil)
	if err != nil {
		return err
	}
	switch object := object.(type) {
	case *appsv1.Deployment:
		return nil
	case *v1.ConfigMap:
		m.objects = append(m.objects, object)
	case *batchv1.CronJob:
		m.objects = append(m.objects, object)
	case *v1.ServiceAccount:
		m.account = object
		m.objects = append(m.objects, object)
	case *rbacv1.Role:
		m.objects = append(m.objects, object)
	case *rbacv1.RoleBinding:
		m.objects = append(m.objects, object)
	case *rbacv1.ClusterRole:
		m.objects = append(m.objects, object)
	case *rbacv1.ClusterRoleBinding:
		m.objects = append(m.objects, object)
	default:
		return fmt.Errorf("%s is not known to the end-to-end tests", kind)
	}
	return nil
}

// findOwn finds the Role and the RoleBinding in the account's namespace that have the account's name.
func (m *manifest) findOwn() {
	for _, object := range m.objects {
		switch object.(type) {
		case *rbacv1.Role, *rbacv1.RoleBinding:
			if m.account != nil && object.GetNamespace() == m.account.Namespace && object.GetName() == m.account.Name {
				m.own = append(m.own, object)
			}
		}
	}
}

// apply makes all of it.
func (m *manifest) apply(ctx context.Context, client kubernetes.Interface) error {
	return create(ctx, client, m.objects...)
}

// applyIn makes what the autoscaler needs in the namespace that it works in.
func (m *manifest) applyIn(ctx context.Context, client kubernetes.Interface, namespace string) error {
	for _, object := range m.own {
		var moved metav1.Object
		switch object := object.(type) {
		case *rbacv1.Role:
			moved = object.DeepCopy()
		case *rbacv1.RoleBinding:
			moved = object.DeepCopy()
		}
		moved.SetNamespace(namespace)
		if err := createOne(ctx, client, moved); err != nil {
			return err
		}
	}
	return nil
}

func createOne(ctx context.Context, client kubernetes.Interface, object metav1.Object) error {
	options, rbac, namespace := metav1.CreateOptions{}, client.RbacV1(), object.GetNamespace()
	var err error
	switch object := object.(type) {
	case *v1.ServiceAccount:
		_, err = client.CoreV1().ServiceAccounts(namespace).Create(ctx, object, options)
	case *v1.ConfigMap:
		_, err = client.CoreV1().ConfigMaps(namespace).Create(ctx, object, options)
	case *batchv1.CronJob:
		// It is looked at and not kept: its pods would make node groups grow.
		options.DryRun = []string{metav1.DryRunAll}
		_, err = client.BatchV1().CronJobs(namespace).Create(ctx, object, options)
	case *rbacv1.Role:
		_, err = rbac.Roles(namespace).Create(ctx, object, options)
	case *rbacv1.RoleBinding:
		_, err = rbac.RoleBindings(namespace).Create(ctx, object, options)
	case *rbacv1.ClusterRole:
		_, err = rbac.ClusterRoles().Create(ctx, object, options)
	case *rbacv1.ClusterRoleBinding:
		_, err = rbac.ClusterRoleBindings().Create(ctx, object, options)
	default:
		err = fmt.Errorf("objects of type %T are not made here", object)
	}
	if err != nil {
		return fmt.Errorf("%s %s: %w", namespace, object.GetName(), err)
	}
	return nil
}
