package cluster

import (
	"fmt"
	"path/filepath"
	"strings"
)

// auditPolicy says that of all requests only those of the autoscaler's account, and of accounts in the namespaces that are asked for,
// are told, and of them what was asked for, not what was sent or answered: that may be a token.
func (s *starter) auditPolicy() string {
	account := s.rules.account
	groups := make([]string, 0, len(s.auditNamespaces))
	for _, namespace := range s.auditNamespaces {
		groups = append(groups, fmt.Sprintf("- level: Metadata\n  userGroups: [%q]\n", "system:serviceaccounts:"+namespace))
	}
	return fmt.Sprintf(`apiVersion: audit.k8s.io/v1
kind: Policy
omitStages: [RequestReceived]
rules:
- level: Metadata
  users: ["system:serviceaccount:%s:%s"]
%s- level: None
`, account.Namespace, account.Name, strings.Join(groups, ""))
}

func (s *starter) auditPolicyPath() string { return filepath.Join(s.dir, "audit-policy.yaml") }

// auditArguments are the API server's for the audit log, none if it is not wanted.
func (s *starter) auditArguments() []string {
	if s.auditLog == "" {
		return nil
	}
	return []string{"--audit-policy-file=" + s.auditPolicyPath(), "--audit-log-path=" + s.auditLog}
}
