{{/* Where pods may run, and how they reach others. */}}

{{/*
On which nodes pods may run: control plane nodes, unless that is switched off. They are known by the label's name: its value is empty with
kubeadm, and "true" with k3s and RKE2, whose other taints of such nodes are the last two.
*/}}
{{- define "cao.placement" -}}
{{- $tolerations := .Values.tolerations }}
{{- if .Values.onControlPlane }}
{{- range list "CriticalAddonsOnly" "node-role.kubernetes.io/etcd" "node-role.kubernetes.io/control-plane" }}
{{- $tolerations = prepend $tolerations (dict "key" . "operator" "Exists") }}
{{- end }}
{{- end }}
{{- with .Values.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $tolerations }}
tolerations:
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end -}}

{{/* nodeAffinity with the control plane in every term, since one of them is enough; empty for none. */}}
{{- define "cao.nodeAffinity" -}}
{{- $affinity := default (dict) .Values.affinity.nodeAffinity | deepCopy }}
{{- if .Values.onControlPlane }}
{{- $required := default (dict) $affinity.requiredDuringSchedulingIgnoredDuringExecution }}
{{- $terms := list }}
{{- range default (list (dict)) $required.nodeSelectorTerms }}
{{- $known := default (list) .matchExpressions }}
{{- $_ := set . "matchExpressions" (prepend $known (dict "key" "node-role.kubernetes.io/control-plane" "operator" "Exists")) }}
{{- $terms = append $terms . }}
{{- end }}
{{- $_ := set $affinity "requiredDuringSchedulingIgnoredDuringExecution" (dict "nodeSelectorTerms" $terms) }}
{{- end }}
{{- with $affinity }}
{{- dict "nodeAffinity" . | toYaml }}
{{- end }}
{{- end -}}

{{/* Affinity of the replicas, which prefer different nodes if nothing else is said. */}}
{{- define "cao.affinity" -}}
{{- $affinity := deepCopy .Values.affinity }}
{{- if not $affinity }}
{{- $others := dict "labelSelector" (dict "matchLabels" (include "cao.selectorLabels" . | fromYaml)) "topologyKey" "kubernetes.io/hostname" }}
{{- $_ := set $affinity "podAntiAffinity" (dict "preferredDuringSchedulingIgnoredDuringExecution" (list (dict "weight" 100 "podAffinityTerm" $others))) }}
{{- end }}
{{- $_ := include "cao.nodeAffinity" . | fromYaml | mergeOverwrite $affinity }}
{{- toYaml $affinity }}
{{- end -}}

{{/* Constraints without a selector would count no pod: they get that of the replicas. */}}
{{- define "cao.spread" -}}
{{- $all := list }}
{{- $own := dict "matchLabels" (include "cao.selectorLabels" . | fromYaml) }}
{{- range .Values.topologySpreadConstraints }}
{{- $all = append $all (merge (deepCopy .) (hasKey . "labelSelector" | ternary (dict) (dict "labelSelector" $own))) }}
{{- end }}
{{- with $all }}
{{- toYaml . }}
{{- end }}
{{- end -}}

{{/* How pods reach others, OpenStack above all. */}}
{{- define "cao.network" -}}
{{- if .Values.hostNetwork }}
hostNetwork: true
{{- end }}
{{- with .Values.dnsPolicy }}
dnsPolicy: {{ . }}
{{- end }}
{{- with .Values.dnsConfig }}
dnsConfig:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with .Values.hostAliases }}
hostAliases:
{{- toYaml . | nindent 0 }}
{{- end }}
{{- end -}}
