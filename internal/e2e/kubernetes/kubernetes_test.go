// Package kubernetes holds the manifests of docs/deploy/kubernetes against the types of
// Kubernetes: each document decodes strictly, and what one of them names is in another.
// It is a module of its own, because the server has no use for those types:
//
//	make kubernetes
//
// The manifests have not been run on a cluster.
package kubernetes

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	appsv1 "k8s.io/api/apps/v1"
	corev1 "k8s.io/api/core/v1"
	policyv1 "k8s.io/api/policy/v1"
	metav1 "k8s.io/apimachinery/pkg/apis/meta/v1"
	"k8s.io/apimachinery/pkg/labels"
	"sigs.k8s.io/yaml"
)

// manifests are what the folder holds.
type manifests struct {
	deployment appsv1.Deployment
	services   []corev1.Service
	budget     policyv1.PodDisruptionBudget
	secret     corev1.Secret
}

func load(t *testing.T) (m manifests) {
	t.Helper()
	paths, err := filepath.Glob("../../../docs/deploy/kubernetes/*.yaml")
	if err != nil || len(paths) == 0 {
		t.Fatalf("no manifests: %v", err)
	}
	for _, path := range paths {
		text, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		for _, document := range bytes.Split(text, []byte("\n---\n")) {
			m.add(t, path, document)
		}
	}
	return m
}

// add decodes one document into the type that it names. A field that the type has not,
// or one that is there twice, is an error.
func (m *manifests) add(t *testing.T, path string, document []byte) {
	t.Helper()
	var kind metav1.TypeMeta
	if err := yaml.Unmarshal(document, &kind); err != nil {
		t.Fatalf("%s: %v", path, err)
	}
	var into any
	switch kind {
	case metav1.TypeMeta{APIVersion: "apps/v1", Kind: "Deployment"}:
		into = &m.deployment
	case metav1.TypeMeta{APIVersion: "policy/v1", Kind: "PodDisruptionBudget"}:
		into = &m.budget
	case metav1.TypeMeta{APIVersion: "v1", Kind: "Secret"}:
		into = &m.secret
	case metav1.TypeMeta{APIVersion: "v1", Kind: "Service"}:
		m.services = append(m.services, corev1.Service{})
		into = &m.services[len(m.services)-1]
	default:
		t.Fatalf("%s: %+v is not known here", path, kind)
	}
	if err := yaml.UnmarshalStrict(document, into); err != nil {
		t.Errorf("%s: %v", path, err)
	}
}

func (m *manifests) container(t *testing.T) corev1.Container {
	t.Helper()
	all := m.deployment.Spec.Template.Spec.Containers
	if len(all) != 1 {
		t.Fatalf("%d containers", len(all))
	}
	return all[0]
}

func TestEachManifestDecodesStrictly(t *testing.T) {
	m := load(t)
	if m.deployment.Name == "" || m.budget.Name == "" || m.secret.Name == "" || len(m.services) != 2 {
		t.Errorf("something is missing: %d services", len(m.services))
	}
}

func TestAnUnknownFieldIsAnError(t *testing.T) {
	var d appsv1.Deployment
	if err := yaml.UnmarshalStrict([]byte("kind: Deployment\nspec:\n  replica: 3\n"), &d); err == nil {
		t.Error("spec.replica was accepted")
	}
}

func TestServicesAndBudgetSelectThePods(t *testing.T) {
	m := load(t)
	pods := labels.Set(m.deployment.Spec.Template.Labels)
	selectors := map[string]*metav1.LabelSelector{
		"the Deployment": m.deployment.Spec.Selector, "the PodDisruptionBudget": m.budget.Spec.Selector,
	}
	for _, s := range m.services {
		selectors["Service "+s.Name] = &metav1.LabelSelector{MatchLabels: s.Spec.Selector}
	}
	for who, selector := range selectors {
		s, err := metav1.LabelSelectorAsSelector(selector)
		if err != nil || s.Empty() || !s.Matches(pods) {
			t.Errorf("%s does not select the pods (%v, %v)", who, selector, err)
		}
	}
}

func TestOneServiceIsHeadlessAndListsPodsThatEnd(t *testing.T) {
	headless := 0
	for _, s := range load(t).services {
		if s.Spec.ClusterIP == corev1.ClusterIPNone {
			headless++
			if !s.Spec.PublishNotReadyAddresses {
				t.Errorf("%s leaves out pods that end", s.Name)
			}
		}
		if s.Spec.SessionAffinity == corev1.ServiceAffinityClientIP {
			t.Errorf("%s is sticky", s.Name)
		}
	}
	if headless != 1 {
		t.Errorf("%d headless Services", headless)
	}
}

func TestPortsAreNamedOnce(t *testing.T) {
	m := load(t)
	c := m.container(t)
	var names []string
	for _, p := range c.Ports {
		names = append(names, p.Name)
	}
	for _, s := range m.services {
		for _, p := range s.Spec.Ports {
			if !slices.Contains(names, p.TargetPort.StrVal) {
				t.Errorf("Service %s has the port %s, the container none of this name", s.Name, p.TargetPort.StrVal)
			}
		}
	}
	for name, probe := range map[string]*corev1.Probe{"startup": c.StartupProbe, "liveness": c.LivenessProbe, "readiness": c.ReadinessProbe} {
		if probe == nil || !slices.Contains(names, probe.HTTPGet.Port.StrVal) {
			t.Errorf("no %s probe of a named port", name)
		}
	}
}

func TestSecretsAreInTheExample(t *testing.T) {
	m := load(t)
	for _, e := range m.container(t).Env {
		if e.ValueFrom == nil || e.ValueFrom.SecretKeyRef == nil {
			continue
		}
		ref := e.ValueFrom.SecretKeyRef
		if _, ok := m.secret.StringData[ref.Key]; ref.Name != m.secret.Name || !ok {
			t.Errorf("%s is %s of Secret %s, which the example has not", e.Name, ref.Key, ref.Name)
		}
	}
}

// The kubelet kills a process that takes longer than the grace period.
func TestTheGraceOutlastsTheShutdown(t *testing.T) {
	m := load(t)
	var shutdown time.Duration
	for _, name := range []string{"SHUTDOWN_DELAY", "DRAIN_SPREAD", "SHUTDOWN_TIMEOUT"} {
		shutdown += m.setting(t, name)
	}
	grace := time.Duration(*m.deployment.Spec.Template.Spec.TerminationGracePeriodSeconds) * time.Second
	if grace <= shutdown {
		t.Errorf("a grace period of %v for a shutdown of %v", grace, shutdown)
	}
}

// Readiness is lost before SHUTDOWN_DELAY is over, so that no newcomer is refused.
func TestReadinessIsLostWithinTheDelay(t *testing.T) {
	m := load(t)
	p := m.container(t).ReadinessProbe
	if noticed := time.Duration(p.PeriodSeconds*p.FailureThreshold) * time.Second; noticed > m.setting(t, "SHUTDOWN_DELAY") {
		t.Errorf("noticed after %v", noticed)
	}
}

func (m *manifests) setting(t *testing.T, name string) time.Duration {
	t.Helper()
	env := m.container(t).Env
	i := slices.IndexFunc(env, func(e corev1.EnvVar) bool { return e.Name == name })
	if i < 0 {
		t.Fatalf("%s is not set", name)
	}
	d, err := time.ParseDuration(env[i].Value)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// ADVERTISE_URL is made of POD_IP, which Kubernetes replaces only in variables after it.
func TestTheAddressOfAPodComesBeforeItsUse(t *testing.T) {
	m := load(t)
	env := m.container(t).Env
	at := func(name string) int {
		return slices.IndexFunc(env, func(e corev1.EnvVar) bool { return e.Name == name })
	}
	if ip, url := at("POD_IP"), at("ADVERTISE_URL"); ip < 0 || url < ip {
		t.Errorf("POD_IP is variable %d, ADVERTISE_URL %d", ip, url)
	}
}
