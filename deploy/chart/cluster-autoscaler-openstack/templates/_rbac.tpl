{{/* Which of the rules of files/rules.yaml are needed. */}}

{{- define "cao.subject" -}}
[{kind: ServiceAccount, name: {{ include "cao.serviceAccountName" . }}, namespace: {{ .Release.Namespace }}}]
{{- end -}}

{{- define "cao.minters" -}}
[{apiGroup: rbac.authorization.k8s.io, kind: Group, name: "system:bootstrappers:cluster-autoscaler-openstack"}]
{{- end -}}

{{/* Not empty if cluster-autoscaler looks at dynamic resources: the flag says so, or it is so new that it may by itself. */}}
{{- define "cao.readsDevices" -}}
{{- $flag := toString (index .Values.autoscaler.extraArgs "enable-dynamic-resource-allocation") -}}
{{- if eq $flag "true" -}}
yes
{{- else if and (ne $flag "false") (include "cao.isExternal" .) (ge (include "cao.minor" . | int) 34) -}}
yes
{{- end -}}
{{- end -}}

{{- define "cao.decidesCertificates" -}}
{{- if or .Values.features.approveNodeCertificates .Values.features.approveServingCertificates }}yes{{ end -}}
{{- end -}}

{{/* A dict of root, rules and the kinds that are wanted ("tokens", "others" or both): the rules that are needed, as YAML. */}}
{{- define "cao.rules" -}}
{{- $root := .root -}}
{{- $features := $root.Values.features -}}
{{- $kept := list -}}
{{- range $rule := .rules -}}
{{- $group := first $rule.apiGroups -}}
{{- $names := default (list) $rule.resourceNames -}}
{{- $isOfCore := and $root.Values.autoscaler.enabled (has "others" $.kinds) -}}
{{- $keep := has "others" $.kinds -}}
{{- if has "secrets" $rule.resources -}}
{{- $keep = and $features.bootstrapTokens (has "tokens" $.kinds) -}}
{{- else if eq $group "certificates.k8s.io" -}}
{{- $keep = and $keep (ne "" (include "cao.decidesCertificates" $root)) -}}
{{- if $names -}}
{{- $signers := list -}}
{{- range $names -}}
{{- if or (and (eq . "kubernetes.io/kube-apiserver-client-kubelet") $features.approveNodeCertificates) (and (eq . "kubernetes.io/kubelet-serving") $features.approveServingCertificates) -}}
{{- $signers = append $signers . -}}
{{- end -}}
{{- end -}}
{{- $_ := set $rule "resourceNames" $signers -}}
{{- end -}}
{{- else if or (eq $group "authorization.k8s.io") (has "cluster-autoscaler-openstack-joins" $names) -}}
{{- $keep = and $keep $features.approveNodeCertificates -}}
{{- else if has "nodes" $rule.resources -}}
{{- if not $features.deleteNodesOfGoneServers -}}
{{- $_ := set $rule "verbs" (without $rule.verbs "delete") -}}
{{- end -}}
{{- if not $root.Values.autoscaler.enabled -}}
{{- $_ := set $rule "verbs" (without $rule.verbs "update") -}}
{{- end -}}
{{- else if has "events" $rule.resources -}}
{{- else if and (has "configmaps" $rule.resources) (has "create" $rule.verbs) -}}
{{- $keep = and $keep (or $isOfCore $features.approveNodeCertificates) -}}
{{- else if and (has "configmaps" $rule.resources) (has "list" $rule.verbs) -}}
{{- $keep = and $isOfCore (contains "priority" (toString (index $root.Values.autoscaler.extraArgs "expander"))) -}}
{{- else if eq $group "resource.k8s.io" -}}
{{- $keep = and $isOfCore (ne "" (include "cao.readsDevices" $root)) -}}
{{- else -}}
{{- $keep = $isOfCore -}}
{{- end -}}
{{- if $keep -}}
{{- $kept = append $kept $rule -}}
{{- end -}}
{{- end -}}
{{- if $kept -}}
{{- toYaml $kept -}}
{{- end -}}
{{- end -}}
