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
{{- $keep := true -}}
{{- $group := first $rule.apiGroups -}}
{{- if has "secrets" $rule.resources -}}
{{- $keep = has "tokens" $.kinds -}}
{{- else if not (has "others" $.kinds) -}}
{{- $keep = false -}}
{{- else if eq $group "resource.k8s.io" -}}
{{- $keep = ne "" (include "cao.readsDevices" $root) -}}
{{- else if eq $group "certificates.k8s.io" -}}
{{- $keep = ne "" (include "cao.decidesCertificates" $root) -}}
{{- if hasKey $rule "resourceNames" -}}
{{- $signers := list -}}
{{- range $rule.resourceNames -}}
{{- if or (and (eq . "kubernetes.io/kube-apiserver-client-kubelet") $features.approveNodeCertificates) (and (eq . "kubernetes.io/kubelet-serving") $features.approveServingCertificates) -}}
{{- $signers = append $signers . -}}
{{- end -}}
{{- end -}}
{{- $_ := set $rule "resourceNames" $signers -}}
{{- end -}}
{{- else if eq $group "authorization.k8s.io" -}}
{{- $keep = ne "" (include "cao.decidesCertificates" $root) -}}
{{- else if has "cluster-autoscaler-openstack-joins" (default (list) $rule.resourceNames) -}}
{{- $keep = ne "" (include "cao.decidesCertificates" $root) -}}
{{- else if and (eq $group "") (has "configmaps" $rule.resources) (has "list" $rule.verbs) -}}
{{- $keep = contains "priority" (toString (index $root.Values.autoscaler.extraArgs "expander")) -}}
{{- else if and (has "nodes" $rule.resources) (not $features.deleteNodesOfGoneServers) -}}
{{- $_ := set $rule "verbs" (without $rule.verbs "delete") -}}
{{- end -}}
{{- if $keep -}}
{{- $kept = append $kept $rule -}}
{{- end -}}
{{- end -}}
{{- if $kept -}}
{{- toYaml $kept -}}
{{- end -}}
{{- end -}}
